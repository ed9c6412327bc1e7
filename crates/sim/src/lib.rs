//! The simulated world: time, networks, phones, a reference model, checkers
