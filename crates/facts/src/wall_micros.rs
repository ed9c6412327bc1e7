//! How a fact says when: microseconds of the wall clock.

use base::Wall;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(wall: &Wall, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(wall.unix_micros())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Wall, D::Error> {
    Ok(Wall::from_unix_micros(i64::deserialize(from)?))
}
