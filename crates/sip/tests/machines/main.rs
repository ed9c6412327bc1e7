//! The machines of SIP in virtual time, two user agents against each other or one against the test.

mod calls;
mod races;
mod world;
