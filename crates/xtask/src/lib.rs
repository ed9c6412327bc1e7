//! The tidy checks: see `tests/tidy.rs`.
