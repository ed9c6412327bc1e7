//! SIP sockets on tokio, media shards on their own threads
