//! RTP, RTCP, digits, player, relay and the shard that ticks them
