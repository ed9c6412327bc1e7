//! A month as text and as a drawing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use support::calendar;

const DESK: &str = r#"
zone = "Europe/Rome"
holidays = "it"
patron = "Venezia"
mon = ["09:00-13:00", "14:00-18:00"]
tue = ["09:00-13:00"]
fri = ["22:00-06:00"]
[[exception]]
name = "inventario <2027> & altro"
from = 2027-03-02
to = 2027-03-03
closed = true
"#;

#[test]
fn a_month_is_a_line_for_each_day_with_hours_and_what_is_special() {
    let text = calendar(DESK).month("2027-03").unwrap().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 32);
    assert_eq!(
        lines[..6],
        [
            "marzo 2027 (Europe/Rome)",
            "lun  1  09:00-13:00 14:00-18:00",
            "mar  2  chiuso                   inventario <2027> & altro",
            "mer  3  chiuso                   inventario <2027> & altro",
            "gio  4  chiuso",
            "ven  5  22:00-06:00",
        ]
    );
    assert_eq!(lines[28], "dom 28  chiuso                   Pasqua; l'orologio va avanti di 60 minuti");
    assert_eq!(lines[29], "lun 29  chiuso                   Lunedì dell'Angelo");
    let autumn = calendar(DESK).month("2027-10").unwrap();
    assert_eq!(autumn.days[30].clocks, "l'orologio torna indietro di 60 minuti");
    assert_eq!(autumn.days.iter().filter(|day| !day.clocks.is_empty()).count(), 1);
}

#[test]
fn february_has_the_days_that_it_has() {
    for (month, days) in [("2027-02", 28), ("2028-02", 29), ("2026-12", 31)] {
        assert_eq!(calendar(DESK).month(month).unwrap().days.len(), days, "{month}");
    }
    for wrong in ["2027-13", "2027", "2027-4", "aprile!", "é027-1", "", "+027-04"] {
        assert_eq!(calendar(DESK).month(wrong), None, "{wrong}");
    }
}

#[test]
fn the_drawing_has_a_cell_for_each_day_and_is_sound_xml() {
    let svg = calendar(DESK).month("2027-03").unwrap().svg();
    assert_eq!(svg.matches("rx=\"4\"").count(), 31);
    assert!(svg.contains("inventario &lt;2027&gt; &amp;"), "{svg}");
    assert!(!svg.contains("<2027>"));
    // Each that opens closes: no name of a rule can break it.
    let (texts, ends) = (svg.matches("<text ").count(), svg.matches("</text>").count());
    assert_eq!(texts, ends);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
}
