//! SIP as machines without I/O: messages, SDP, transactions, dialogs, registrar, digest
