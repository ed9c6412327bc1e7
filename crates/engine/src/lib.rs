//! Calls: the sans-IO root that takes inputs and gives outputs and facts
