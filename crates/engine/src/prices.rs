//! What calls cost.

use numbers::Number;
use std::collections::BTreeMap;

/// Thousandths of a cent a minute, by the beginning of the number in the normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(pub BTreeMap<String, u64>);

impl Prices {
    /// The price of the longest beginning that fits, if one does.
    pub fn of(&self, number: &Number) -> Option<u64> {
        let fits = self.0.iter().filter(|(prefix, _)| number.as_str().starts_with(prefix.as_str()));
        fits.max_by_key(|(prefix, _)| prefix.len()).map(|(_, price)| *price)
    }

    /// Whether no price is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
