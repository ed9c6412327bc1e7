//! The grammars, a file for each language, or for those that count alike.

mod ar;
mod bn;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod lakh;
mod ro;
mod sl;
mod sq;
mod uk;
mod wo;
mod zh;

use crate::grammar::Grammar;

pub(crate) const ALL: [&str; 16] =
    ["it", "en", "fr", "de", "sl", "es", "ro", "ar", "sq", "uk", "zh", "hi", "ur", "pa", "bn", "wo"];

pub(crate) fn grammar(language: &str) -> Option<&'static dyn Grammar> {
    Some(match language {
        "ar" => &ar::Arabic,
        "bn" => &bn::Bengali,
        "de" => &de::German,
        "en" => &en::English,
        "es" => &es::Spanish,
        "fr" => &fr::French,
        "hi" | "pa" | "ur" => &lakh::Lakh,
        "it" => &it::Italian,
        "ro" => &ro::Romanian,
        "sl" => &sl::Slovene,
        "sq" => &sq::Albanian,
        "uk" => &uk::Ukrainian,
        "wo" => &wo::Wolof,
        "zh" => &zh::Chinese,
        _ => return None,
    })
}
