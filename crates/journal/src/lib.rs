//! The durable log and its folds
