//! Makes a policy smaller as long as it still shows the same.

use super::pair::Policy;

/// Tokens of a module: words, numbers, texts, single signs, ends of lines.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        let mut token = first.to_string();
        let is_word = |character: &char| character.is_alphanumeric() || *character == '_';
        if is_word(&first) {
            while let Some(more) = characters.next_if(is_word) {
                token.push(more);
            }
        } else if first == '"' {
            for more in characters.by_ref() {
                token.push(more);
                if more == '"' {
                    break;
                }
            }
        }
        tokens.push(token);
    }
    tokens
}

/// Leaves out all runs of pieces that can be left out, long ones first.
fn without(pieces: Vec<String>, holds: &mut dyn FnMut(&[String]) -> bool) -> Vec<String> {
    let mut pieces = pieces;
    let mut length = pieces.len().div_ceil(2).min(48);
    while length > 0 {
        let mut at = 0;
        while at < pieces.len() {
            let end = at.saturating_add(length).min(pieces.len());
            let mut fewer = pieces.clone();
            fewer.drain(at..end);
            if holds(&fewer) {
                pieces = fewer;
            } else {
                at = at.saturating_add(1);
            }
        }
        length /= 2;
    }
    pieces
}

/// The smallest policy that was found for which `holds`, as it does for this one.
pub(super) fn shrunk(policy: &Policy, mut holds: impl FnMut(&Policy) -> bool) -> Policy {
    let mut best = policy.clone();
    if best.modules.len() > 1 {
        for module in (0..best.modules.len()).rev() {
            let mut fewer = best.clone();
            fewer.modules.remove(module);
            if !fewer.modules.is_empty() && holds(&fewer) {
                best = fewer;
            }
        }
    }
    let empty: Policy =
        serde_json::from_str(r#"{"modules": [], "data": {}, "asks": [{"input": {}}]}"#).unwrap();
    let mut simpler = best.clone();
    simpler.data = empty.data;
    if holds(&simpler) {
        best = simpler;
    }
    let mut simpler = best.clone();
    simpler.asks[0].input = None;
    if holds(&simpler) {
        best = simpler;
    }
    let lines = |text: &str| text.lines().map(|line| format!("{line}\n")).collect();
    for split in [lines as fn(&str) -> Vec<String>, tokens, tokens] {
        for module in 0..best.modules.len() {
            let pieces = split(&best.modules[module]);
            let mut tried = best.clone();
            let pieces = without(pieces, &mut |pieces| {
                tried.modules[module] = pieces.concat();
                holds(&tried)
            });
            best.modules[module] = pieces.concat();
        }
    }
    best
}
