//! A scriptable softphone on our own crates
