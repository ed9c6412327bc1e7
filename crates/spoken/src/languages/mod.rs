//! The grammars, a file for each language.

mod ar;
mod bn;
mod de;
mod en;
mod es;
mod fr;
mod hi;
mod it;
mod lakh;
mod pa;
mod ro;
mod sl;
mod sq;
mod uk;
mod ur;
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
        "hi" => &hi::Hindi,
        "it" => &it::Italian,
        "pa" => &pa::Punjabi,
        "ro" => &ro::Romanian,
        "sl" => &sl::Slovene,
        "sq" => &sq::Albanian,
        "uk" => &uk::Ukrainian,
        "ur" => &ur::Urdu,
        "wo" => &wo::Wolof,
        "zh" => &zh::Chinese,
        _ => return None,
    })
}
