//! The machines of SIP in virtual time, two user agents against each other or one against the test.

mod calls;
mod odd_requests;
mod races;
mod reoffers;
mod world;
