package older.complete_without_if

p { input.n == 3 }

package older.complete_equals

p = 3 { true }

package older.complete_assigned

p := x { x := [1, 2] }

package older.constant

p = {"a": 1}

package older.set_of_one_bracket

p[x] { x := [3, 1, 2][_] }

package older.set_without_body

p["a"]

p["b"]

package older.set_by_a_dot

p.q { true }

package older.set_by_a_dot_without_body

p.q

package older.two_dots_are_an_object

p.q.r { true }

package older.two_dots_without_body

p.q.r

package older.object

p[k] = v { v := {"x": 1, "y": 2}[k] }

package older.object_assigned

p[k] := v { some k; v := {"x": 1, "y": 2}[k] }

package older.object_of_a_dot

p.x = 1

p.y = 2 { true }

package older.nested_object

p.q[x] = y { y := {"a": 1}[x] }

package older.nested_without_value

p.q[x] { {"a": 1, "b": 2}[x] }

package older.two_brackets

p[x][y] { x := ["a", "b"][_]; y := [1, 2][_] }

package older.several_bodies

p[x] { x := 1 } { x := 2 }

package older.else_without_if

p = 1 { false } else = 2 { false } else = 3 { true }

package older.else_without_value

p { false } else { true }

package older.else_without_body

p = 1 { false } else = 4

package older.default_value

default p = 7

p = 8 { false }

package older.function

f(x) = y { y := x * 2 }

p = f(21)

package older.function_without_value

f(x) { x == 1 }

p { f(1); not f(2) }

package older.function_without_body

f(x) = [x]

p = f(1)

package older.function_of_a_constant

f("a")

f("b") = false

p = [f("a"), f("b")]

package older.function_with_else

f(x) = "small" { x < 10 } else = "large" { true }

p = [f(1), f(11)]

package older.names_that_became_keywords

if = 1

contains = 2

in = 3

every = 4

p = [if, contains, in, every]

package older.parameters_named_like_keywords

f(in) = every { every := in + 1 }

p = f(1)

package older.imported_in

import future.keywords.in

p { 1 in [1, 2] }

q[x] { some x in [1] }

package older.imported_every

import future.keywords.every

p { every x in [1, 2] { x > 0 } }

package older.imported_if

import future.keywords.if

p if { true }

package older.imported_if_makes_an_object

import future.keywords.if

p[x] if { x := "a" }

package older.imported_contains

import future.keywords.contains

p contains x { x := [1, 2][_] }

package older.imported_all

import future.keywords

p contains x if { some x in [1, 2]; every y in [x] { y < 2 } }

package older.still_without_if

import future.keywords

p[x] { x := 1 }

package older.version_one

import rego.v1

p contains x if some x in [1, 2]

package older.version_one_needs_if

import rego.v1

p { true }

package older.version_one_beside_keywords

import future.keywords.if
import rego.v1

p if true

package older.if_not_imported

p if { true }

package older.contains_not_imported

p contains 1 { true }

package older.in_not_imported

p { 1 in [1] }

package older.every_not_imported

p { every x in [1] { x == 1 } }

package older.only_if_imported

import future.keywords.if

p if 1 in [1]

package older.a_name_alone

p

package older.deprecated_any

p = [any([false, true]), all([true, false])]

package older.deprecated_match

p { re_match("a+", "caab") }

package older.deprecated_sets

p = set_diff({1, 2}, {2})

package older.deprecated_casts

p = [cast_array({1}), cast_set([1, 1])]

package older.import_twice

import data.nums
import data.nums

p = 1

package older.keys_of_input

import input.nested as a

p[k] { a[k] }

package older.negation

p { not input.missing }

package older.comprehensions

p = [{x | x := [1, 1][_]}, [y | y := [2][_]], {k: v | v := {"a": 1}[k]}]

package older.with_replaced

q { input.x == 1 }

p { q with input as {"x": 1} }

package older.contains_is_a_builtin

p { contains("abc", "b") }

package older.violation_with_details

violation[{"msg": msg, "details": {"n": n}}] {
	n := [1, 2, 3][_]
	n > 1
	msg := sprintf("%d is too many", [n])
}

p = violation

package older.deny_by_message

deny[msg] {
	input.n == 3
	msg := "b is one"
}

deny[msg] {
	msg := "always"
}

p = count(deny)

package older.chained_else_on_a_set

p[x] { x := 1 } else = 2 { true }

package older.two_values

p = 1 { true }

p = 2 { true }

package older.unification_in_a_body

p = y { [x, y] = [1, 2]; x == 1 }

package older.semicolons_and_lines

p { true; true
	1 == 1 }

package older.assigned_in_head_with_brace

p = {"x": y} { y := 1 }

package older.set_of_objects

p[{"a": x}] { x := [1, 2][_] }

package older.keyword_in_a_path

import future.keywords.in

p = {"in": 1}.in

package older.set_from_a_call

p[lower(x)] { x := ["A", "B"][_] }

package older.of_input

p[input.user] { true }

package older.brackets_of_text

p["a b"] = 1

p["c"] = 2 { true }

package older.keywords_beside_version_one

import rego.v1
import future.keywords.if

p if true

package older.not_of_a_set

p[x] { x := 1; not x == 2 }

package older.some_declared

p { some i; input.list[i] == 2 }

package older.rule_in_a_rule

q[x] { x := input.list[_] }

p { q[2]; not q[5] }

package older.print_and_trace

p { print("a"); trace("b") }

package older.every_name_in_object

p = {k | input.object[k] = v; v > 1}
