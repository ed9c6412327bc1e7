use crate::Script;

/// The flow as a Mermaid flowchart.
pub fn mermaid(script: &Script) -> String {
    script.name().to_owned()
}

/// The flow as an SVG picture.
pub fn svg(script: &Script) -> String {
    script.name().to_owned()
}
