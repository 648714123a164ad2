//! Values that grow, or double by sharing their parts.

use super::{Case, grown};

/// Ways to make something twice as large, and what it begins with.
const DOUBLED: &[(&str, &str, &str)] = &[
    ("arrays in arrays", "[1]", "[@, @]"),
    ("objects in objects", "{\"a\": 1}", "{\"a\": @, \"b\": @}"),
    ("sets beside arrays", "{1}", "{[@, 1], [@, 2]}"),
    ("keys in keys", "{1: 1}", "{@: 1, [@]: @}"),
    ("comprehensions", "[1]", "[x | some _ in [1, 2]; x := @]"),
    ("array.concat", "[1, 2]", "array.concat(@, @)"),
    ("concat", "\"ab\"", "concat(@, [@, @])"),
    ("sprintf", "\"ab\"", "sprintf(\"%s%s\", [@, @])"),
    ("sprintf of a value", "[1]", "[sprintf(\"%v %v\", [@, @])]"),
    ("template", "\"ab\"", "$\"{@}{@}\""),
    ("replace", "\"aaaa\"", "replace(@, \"a\", @)"),
    ("replace_n", "\"aaaa\"", "strings.replace_n({\"a\": @}, @)"),
    ("regex.replace", "\"aaaa\"", "regex.replace(@, `a`, @)"),
    (
        "regex.replace of groups",
        "\"aaaa\"",
        "regex.replace(@, `(.*)`, \"$1$1$1$1\")",
    ),
    ("json.marshal", "\"\\\"\"", "json.marshal(@)"),
    ("hex.encode", "\"ab\"", "hex.encode(@)"),
    ("urlquery.encode", "\"%\"", "urlquery.encode(@)"),
    ("base64.encode", "\"ab\"", "base64.encode(@)"),
    ("yaml.marshal", "[\"a\"]", "[yaml.marshal([@, @])]"),
    (
        "object.union",
        "{\"a\": 1}",
        "{\"a\": object.union({\"b\": @}, {\"c\": @})}",
    ),
    (
        "json.patch",
        "{\"a\": 1}",
        "json.patch({\"a\": @}, [{\"op\": \"copy\", \"from\": \"/a\", \"path\": \"/b\"}])",
    ),
    (
        "split",
        "[\"ab\"]",
        "array.concat(split(concat(\"\", @), \"\"), @)",
    ),
    ("squares", "10", "@ * @"),
    ("cubes", "3", "@ * @ * @"),
    ("shifts", "1", "bits.lsh(@, 4096)"),
    ("shifts by itself", "2", "bits.lsh(1, @)"),
    ("fractions", "1.1", "@ * @"),
    ("divisions", "3", "1 / @ + @"),
    ("products", "7", "product([@, @, @, @])"),
    ("sums", "7.5", "sum([@, @, @, @])"),
    ("functions", "[1]", "f([@, @])"),
    ("sets of sets", "{{1}}", "{@, {@}} | @"),
    ("walk", "[1]", "[v | [_, v] := walk([@, @])]"),
    ("numbers.range", "4", "count(numbers.range(1, @ * @))"),
    (
        "json.unmarshal",
        "\"[1]\"",
        "json.marshal([json.unmarshal(@), json.unmarshal(@)])",
    ),
    (
        "format_int",
        "\"1\"",
        "format_int(to_number(@) * to_number(@) * 10, 2)",
    ),
    (
        "strings.render_template",
        "\"a\"",
        "strings.render_template(\"{{.x}}{{.x}}\", {\"x\": @})",
    ),
    ("array.flatten", "[1]", "array.flatten([@, [@]])"),
    (
        "object comprehensions",
        "{\"a\": 1}",
        "{k: @ | some k in [\"a\", \"b\"]}",
    ),
];

/// What is asked of two values that are equal and large, of which each is made for itself.
const ASKED: &[(&str, &str)] = &[
    ("==", "a29 == b29"),
    ("!=", "a29 != b29"),
    ("<", "a29 < b29"),
    ("in an array", "a29 in [1, b29]"),
    ("in a set", "a29 in {1, b29}"),
    ("in an object", "a29 in {1: b29}"),
    ("key and value in", "0, a29 in [b29]"),
    ("a set of both", "{a29, b29}"),
    ("an object of both", "{a29: 1, b29: 2}"),
    ("a key", "{a29: 1}[b29]"),
    ("unified", "[a29] = [b29]"),
    ("arguments", "f(a29) == f(b29)"),
    ("a set rule", "r[b29]"),
    ("an object rule", "o[b29]"),
    ("an object rule, twice", "[o[b29], o[a29]]"),
    ("agreeing rules", "c"),
    ("max", "max([a29, b29])"),
    ("sort", "sort([b29, a29])"),
    ("union", "{a29} | {b29}"),
    ("intersection", "{a29} & {b29}"),
    ("difference", "{a29} - {b29}"),
    ("intersection of sets", "intersection({{a29}, {b29}})"),
    ("json.marshal", "json.marshal([a29, b29])"),
    ("sprintf", "sprintf(\"%v\", [a29])"),
    ("print", "print(a29)"),
    ("walk", "[path | [path, _] := walk(a29)]"),
    ("object.union", "object.union({\"a\": a29}, {\"a\": b29})"),
    ("object.subset", "object.subset([a29], [b29])"),
    ("json.filter", "json.filter({\"a\": a29}, [\"a/0/0/0\"])"),
    (
        "json.patch test",
        "json.patch({\"a\": a29}, [{\"op\": \"test\", \"path\": \"/a\", \"value\": b29}])",
    ),
    ("graph", "graph.reachable({a29: [b29], b29: [a29]}, {a29})"),
    ("yaml.marshal", "yaml.marshal(a29)"),
    (
        "urlquery",
        "urlquery.encode_object({\"a\": [json.marshal(a29)]})",
    ),
    ("not", "not a29 == b29"),
    ("every", "every x in [a29] { x == b29 }"),
    ("with input", "input == b29 with input as a29"),
    ("with data", "data.x.y == b29 with data.x.y as a29"),
    ("a comprehension's keys", "{k: 1 | some k in [a29, b29]}"),
    ("a pattern", "some [[x, x], _] in [a29]"),
    ("array.reverse", "array.reverse([a29, b29]) == [b29, a29]"),
    (
        "json.match_schema",
        "json.match_schema({\"a\": 1}, {\"enum\": [1]})",
    ),
    ("obligations", "object.get(a29, [0, 0, 0], b29)"),
    ("type names", "type_name(a29) == type_name(b29)"),
    ("is_array", "is_array(a29)"),
    ("array.flatten", "array.flatten([a29, b29])"),
    ("count", "count(a29) == count(b29)"),
    ("sprintf of members", "sprintf(\"%d %s\", [a29, b29])"),
    ("template", "$\"{a29} {b29}\""),
    ("internal order", "[x | some x in {a29, b29, [a29], [b29]}]"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, first, step) in DOUBLED {
        let rules = grown("v", first, step, 24);
        let last = format!("{rules}\np := v24\n\nf(x) := x\n");
        cases.push(Case::new(format!("doubled by {name}"), last));
    }
    let both = grown("a", "[1]", "[@, @]", 29) + &grown("b", "[1]", "[@, @]", 29);
    let rules =
        "f(x) := x\n\nr contains a29\n\no[k] := 1 if some k in [a29]\n\nc := a29\n\nc := b29\n";
    for (name, question) in ASKED {
        let body = format!("p if {question}\n\n{rules}\n{both}");
        cases.push(Case::new(format!("two large values: {name}"), body));
    }
    cases
}
