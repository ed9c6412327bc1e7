pub use calendar::Fault;
