//! Where numbers are from.

use numbers::{Certainty, Country, Origin, Origins, Rules, TableFault};

fn of(origins: &Origins, text: &str) -> Origin {
    origins.of(&Rules::of(Country::ITALY).read(text))
}

#[test]
fn operators_districts_and_countries_are_known_by_the_prefix() {
    let origins = Origins::built_in();
    for (text, country, operator, place) in [
        ("3381234567", Some("IT"), Some("TIM"), None),
        ("3481234567", Some("IT"), Some("Vodafone"), None),
        ("3281234567", Some("IT"), Some("WindTre"), None),
        ("3931234567", Some("IT"), Some("WindTre"), None),
        ("+393513123456", Some("IT"), Some("Iliad"), None),
        ("+393510123456", Some("IT"), Some("Lycamobile"), None),
        ("0612345678", Some("IT"), None, Some("Roma")),
        ("0669812345", Some("IT"), None, Some("Vatican City")),
        ("0103456789", Some("IT"), None, Some("Genova")),
        ("0843123456", Some("IT"), None, Some("statistics (0843)")),
        ("800100100", Some("IT"), None, None),
        ("1510", Some("IT"), None, None),
        ("+40712345678", Some("RO"), None, None),
        ("+37812345678", Some("SM"), None, None),
        ("anna", None, None, None),
        ("200", None, None, None),
    ] {
        let origin = of(&origins, text);
        assert_eq!(
            (origin.country, origin.operator.as_deref(), origin.place.as_deref()),
            (country, operator, place),
            "{text}"
        );
    }
    assert_eq!(of(&origins, "3510123456").certainty, Certainty::Assumed);
    assert_eq!(of(&origins, "3381234567").certainty, Certainty::Assigned);
    assert_eq!(of(&origins, "0612345678").certainty, Certainty::Unknown, "of the operator nothing is known");
}

#[test]
fn an_installations_own_table_counts_before_ours() {
    let mut origins = Origins::built_in();
    origins.add_table("# ours\n393510,Lycamobile,,assigned\n+4071,Orange RO\n\n").unwrap();
    assert_eq!(of(&origins, "3510123456").certainty, Certainty::Assigned);
    let orange = of(&origins, "+40712345678");
    assert_eq!((orange.operator.as_deref(), orange.certainty), (Some("Orange RO"), Certainty::Assumed));
    assert_eq!(
        origins.add_table("39351x,A\n39352,B,,surely\nrn:39,\n"),
        Err(vec![
            TableFault { line: 1, why: "a prefix is not 1 to 15 digits" },
            TableFault { line: 2, why: "the certainty is neither `assigned` nor `assumed`" },
            TableFault { line: 3, why: "a routing number has no operator" },
        ])
    );
}

#[test]
fn a_number_that_has_moved_is_its_new_operators() {
    let mut origins = Origins::built_in();
    origins.add_ported("+393381234567,Lycamobile\n393381234568, Iliad\n").unwrap();
    origins.add_table("rn:393900,Fastweb\n").unwrap();
    let moved = of(&origins, "3381234567");
    assert_eq!((moved.operator.as_deref(), moved.certainty), (Some("Lycamobile"), Certainty::Ported));
    assert_eq!(of(&origins, "3381234568").operator.as_deref(), Some("Iliad"));
    assert_eq!(of(&origins, "3381234569").operator.as_deref(), Some("TIM"));
    let told = of(&origins, "+393381234567;npdi;rn=+39390012");
    assert_eq!((told.operator.as_deref(), told.certainty), (Some("Fastweb"), Certainty::Ported));
    assert_eq!(of(&origins, "+393381234569;npdi;rn=+39111").operator.as_deref(), Some("TIM"));
    assert!(origins.add_ported("393381234567\n").is_err());
}
