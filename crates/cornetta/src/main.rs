//! A telephone exchange for public help desks
fn main() {}
