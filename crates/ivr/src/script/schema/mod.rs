//! What the files of a script may hold, for editors. Each key that the readers beside this folder take has its line in it:
//! `crates/sim/tests/scenes/schema.rs` says so if it has none.

mod flow;
mod kinds;
mod look_ups;
mod shapes;

pub use flow::{flow, part};
pub use look_ups::look_up;

use document::schema::{Key, Keys, Schema, Shape};

/// What `phrases/LANG.toml` may hold.
pub fn phrases() -> Schema {
    let with_sound = Keys::new([
        Key::new("text", Shape::Text, "What is said.").required(),
        Key::new("sound", Shape::Text, "Its sound, such as en/goodbye; that of its own name unless said."),
    ]);
    Schema {
        title: "phrases/LANG.toml",
        meaning: "What is said in a language: the text for people, its sound under the same name in sounds/LANG.",
        keys: Keys::default().others("", Shape::Either(vec![Shape::Text, Shape::Table(with_sound)])),
        definitions: Vec::new(),
    }
}
