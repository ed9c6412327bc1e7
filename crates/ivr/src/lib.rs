//! Scripts: from TOML to a checked flow, and its interpreter
