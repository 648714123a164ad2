package idiom.not_function_undefined_argument

p if not f(input.missing)
f(x) if startswith(x, "k")

package idiom.not_builtin_undefined_argument

p if not startswith(input.missing, "k")

package idiom.not_builtin_false

p if not startswith(input.user, "x")

package idiom.not_local_undefined

p if {
	parts := split(input.path, "/")
	not f(parts[2])
}
f(x) if x == "k"

package idiom.not_local_defined

p if {
	parts := split(input.path, "/")
	not f(parts[1])
}
f(x) if x == "k"

package idiom.not_equal_undefined

p if not input.missing == 1

package idiom.not_unequal_undefined

p if not input.missing != 1

package idiom.not_less_undefined

p if not input.missing < 1

package idiom.not_unify_undefined

p if not input.missing = 1

package idiom.not_in_undefined

p if not "a" in input.missing

package idiom.not_undefined_in

p if not input.missing in input.roles

package idiom.not_in

p if not "c" in input.roles

package idiom.not_in_pair

p if not 0, "b" in input.roles

package idiom.not_reference_undefined

p if not input.missing

package idiom.not_reference_deep_undefined

p if not input.missing.deeper

package idiom.not_index_undefined

p if not data.base.roles[input.missing]

package idiom.not_index_missing_key

p if not data.base.roles[input.text]

package idiom.not_index_found

p if not data.base.roles[input.user]

package idiom.not_index_local

p if {
	name := input.user
	not data.base.roles[name]
}

package idiom.not_index_rule

p if not data.base.roles[name]
name := input.missing

package idiom.not_index_rule_defined

p if not data.base.roles[name]
name := "x"

package idiom.not_two_indexes

p if not data.base.grants[input.roles[1]][input.missing]

package idiom.not_two_indexes_defined

p if not data.base.grants[input.roles[0]]["write"]

package idiom.not_set_index

p if not names[input.user]
names contains "lee"

package idiom.not_set_index_undefined

p if not names[input.missing]
names contains "lee"

package idiom.not_nested_call

p if not startswith(lower(input.missing), "k")

package idiom.not_nested_call_defined

p if not startswith(lower(input.user), "x")

package idiom.not_arithmetic_undefined

p if not input.missing + 1 > 2

package idiom.not_arithmetic

p if not input.n + 1 > 5

package idiom.not_array_undefined

p if not [input.missing]

package idiom.not_equal_array_undefined

p if not [input.missing] == [1]

package idiom.not_count_comprehension

p if not count([x | some x in input.missing]) > 0

package idiom.not_count_undefined

p if not count(input.missing) > 0

package idiom.not_rule_undefined

p if not q
q if input.missing

package idiom.not_rule_false

p if not q
default q := false

package idiom.not_function_rule_argument

p if not f(q)
q := input.missing
f(x) if x == 1

package idiom.not_function_false

p if not f(input.n)
f(x) := false if x > 0

package idiom.not_function_no_match

p if not f(1)
f(2)

package idiom.not_in_comprehension

p := [x | some x in input.list; not f(x)]
f(x) if x > 2

package idiom.not_in_comprehension_undefined

p := [x | some x in input.list; not f(x, input.missing)]
f(x, y) if x > y

package idiom.not_in_set_comprehension_member

p := {r.id | some r in data.base.rows; not r.open}

package idiom.not_in_every

p if {
	every x in input.list {
		not f(x)
	}
}
f(x) if x > 5

package idiom.not_in_every_undefined

p if {
	every r in data.base.rows {
		not f(r.open)
	}
}
f(x) if x == false

package idiom.not_in_else

p := 1 if input.missing

else := 2 if not f(input.missing)

else := 3 if not f(input.n)

else := 4
f(x) if x > 5

package idiom.not_in_function

p if not f(input.object)
f(o) if not g(o.c)
g(x) if x == 1

package idiom.not_with

p if not f(input.n) with input.n as 9
f(x) if x < 5

package idiom.not_with_undefined

p if not f(input.missing) with input.n as 9
f(x) if x < 5

package idiom.not_with_makes_defined

p if not f(input.missing) with input.missing as 9
f(x) if x < 5

package idiom.not_partial_set_head

p contains x if {
	some x in input.list
	not f(x)
}
f(x) if x == data.base.rows[_].id

package idiom.not_partial_object

p[k] := v if {
	some k, v in input.object
	not f(v)
}
f(x) if x == 2

package idiom.with_value_undefined

p if q with input as input.missing
q if input.n == 3
q if not input.n

package idiom.with_value_rule

seen := input.n
request := {"n": 9}
p if seen == request.n with input as request

package idiom.with_value_uses_rule

name := input.user
p if q with input as {"name": name}
q if name2 == "kim"
name2 := input.name

package idiom.with_rule_used_before

room := input.user
ok if closed == false with input as {"user": room}
default closed := false
closed if room == "lobby"
p := [room, ok]

package idiom.with_rule_inside_and_outside

room := input.user
p := [a, b] if {
	a := room with input.user as "x"
	b := room
}

package idiom.with_value_of_itself

room := input.user
p := x if x := room with input as {"user": sprintf("%s!", [room])}

package idiom.with_nested

r := input.n
q := x if x := r with input.n as 7
p := [r, q, x] if x := q with input.n as 8

package idiom.with_data

p if data.base.roles.kim == ["x"] with data.base.roles.kim as ["x"]

package idiom.with_data_value_undefined

p if data.base.roles.kim == ["x"] with data.base.roles.kim as input.missing

package idiom.with_two

p if input.a + input.b == 3 with input.a as 1 with input.b as 2

package idiom.with_function_mock

p if f(1) == 5 with f as g
f(x) := x
g(x) := x + 4

package idiom.with_function_value

p if f(1) == 5 with f as 5
f(x) := x

package idiom.with_builtin_mock

p if count([1]) == 5 with count as g
g(_) := 5

package idiom.with_value_call

p := x if x := input.n with input as object.union(input, {"n": 10})

package idiom.with_value_comprehension

p := x if x := input.names with input as {"names": [n | some n in input.roles]}

package idiom.with_in_comprehension

q if input.n > 2
p := [n | some n in [1, 2, 3, 4]; q with input.n as n]

package idiom.with_in_every

q if input.n > 0
p if every n in [1, 2] {
	q with input.n as n
}

package idiom.with_on_every

p if every x in input.list { x > 5 } with input.list as [6, 7]

package idiom.with_on_some

p := [x | some x in input.list with input.list as [6, 7]]

package idiom.every_undefined_domain

p if every x in input.missing { x > 0 }

package idiom.every_empty_domain

p if every x in input.empty { x > 0 }

package idiom.every_null_domain

p if every x in input.nothing { x > 0 }

package idiom.every_key_value

p if every k, v in input.object { k != "c"; v > 0 }

package idiom.every_undefined_inside

p if every r in data.base.rows { r.open }

package idiom.every_call_domain

p if every x in f(input.missing) { x }
f(x) := [x]

package idiom.every_nested

p if every x in input.list { every y in input.list { x + y < 7 } }

package idiom.every_false

p if every x in input.list { x < 3 }

package idiom.else_value

p := "a" if input.missing

else := "b" if input.no

else := "c"

package idiom.else_function

p := [f(1), f(2), f(3)]
f(x) := "one" if x == 1

else := "two" if x == 2

else := "many"

package idiom.else_undefined_value

p := input.missing if input.yes

else := 2

package idiom.else_false_first

p := false if input.yes

else := true

package idiom.default_function

p := [f(1), f(2)]
default f(_) := 0
f(x) := 1 if x == 2

package idiom.default_function_undefined_argument

p := f(input.missing)
default f(_) := 0
f(x) := 1 if x == 2

package idiom.default_rule

default p := "no"
p := "yes" if input.missing

package idiom.default_path

default q.r := 1
q.r := 2 if input.missing
p := q.r

package idiom.default_path_bracket

default q["r"] := 1
q["r"] := 2 if input.missing
p := q.r

package idiom.default_path_set

default q.r := 1
q.r := 2 if input.yes
p := q.r

package idiom.function_undefined_argument_ignored

p := f(input.missing)
f(_) := 1

package idiom.function_undefined_argument_second

p := f(1, input.missing)
f(x, _) := x

package idiom.function_without_body

p if f("a")
f("a")
f("b")

package idiom.function_without_body_no_match

p if not f("c")
f("a")
f("b")

package idiom.function_null_argument

p := f(input.nothing)
f(x) := x == null

package idiom.function_pattern

p := f([1, input.n])
f([x, y]) := x + y

package idiom.function_false_result

p if f(1)
f(x) := false

package idiom.function_conflict

p := f(1)
f(x) := 1
f(x) := 2

package idiom.rule_conflict

p := 1 if input.yes
p := 2 if input.n

package idiom.rule_conflict_behind_not

p if not q
q := true if input.yes
q := false if input.n

package idiom.nested_call_undefined

p := upper(lower(input.missing))

package idiom.nested_call_in_array

p := [upper(input.missing)]

package idiom.undefined_in_array

p := [input.missing]

package idiom.undefined_in_object

p := {"a": input.missing}

package idiom.undefined_in_set

p := {input.missing}

package idiom.undefined_in_comprehension

p := [input.missing | some x in input.list]

package idiom.undefined_compared

p := input.missing == 1

package idiom.undefined_in_head_of_set

p contains input.missing
p contains input.n

package idiom.undefined_assigned

p if {
	x := input.missing
	x == x
}

package idiom.false_assigned

p if {
	x := input.no
	not x
}

package idiom.null_is_true

p if input.nothing

package idiom.zero_is_true

p if input.zero

package idiom.comparison_in_value

p := [input.n > 2, input.n < 2]

package idiom.negated_local

p if {
	x := input.n > 5
	not x
}

package idiom.comprehension_empty

p := {x | some x in input.missing}

package idiom.comprehension_outer_variable

p := [y | some x in input.list; y := [z | some z in input.list; z < x]]

package idiom.comprehension_nested_not

p := [x | some x in input.list; not x in [y | some y in input.list; y > 1]]

package idiom.object_comprehension

p := {k: w | some k, v in input.object; w := v * 2}

package idiom.object_comprehension_conflict

p := {"k": v | some v in input.list}

package idiom.partial_object_conflict

p[k] := v if {
	k := "a"
	some v in input.list
}

package idiom.partial_set_of_calls

p contains upper(r) if some r in input.roles

package idiom.partial_nested

p[k].x contains v if some k, v in input.object

package idiom.partial_object_of_rule

q[x] if some x in input.roles
p if not q.c

package idiom.set_minus

p := {x | some x in input.list} - {1}

package idiom.some_declared

p := [i | some i; input.list[i] == 2]

package idiom.some_pair

p := {k | some k, v in input.object; v == 2}

package idiom.some_pattern

p := [y | some {"id": y} in data.base.rows]

package idiom.unify_array

p := x if [x, 2, _] = input.list

package idiom.unify_object

p := x if {"a": x, "b": 2} = input.object

package idiom.walk

p := {v | walk(input.nested, [_, v]); is_string(v)}

package idiom.template

p := $"user {input.user} has {input.n} {input.missing}"

package idiom.template_values

p := $"{input.list} {input.object} {input.nothing} { {1, 2} } {["a"]} {input.no}"

package idiom.template_call

p := $"{upper(input.user)} {upper(input.missing)}"

package idiom.template_in_not

p if not $"{input.user}" == "lee"

package idiom.keyword_in_reference

p := input.object.if
q.every := 1

package idiom.keyword_in_rule_path

q.if := 1
p := q["if"]

package idiom.builtin_error_undefined

p := to_number(input.text)

package idiom.builtin_error_default

default p := 2
p := to_number(input.text)

package idiom.builtin_error_in_not

p if not to_number(input.text)

package idiom.builtin_error_in_or

p if to_number(input.text) > 1
p if input.yes

package idiom.division_by_zero

p := 1 / input.zero

package idiom.negative_reference

p := -input.n

package idiom.string_of_reference

p := sprintf("%v", [input.object])

package idiom.object_get_undefined

p := object.get(input.missing, "a", 1)

package idiom.import_alias

import data.base.roles as r
p := r.kim

package idiom.rule_of_other_name_shadowed

x := 1
p := y if {
	x := 2
	y := x
}

package idiom.print_is_true

p if {
	print(input.missing)
}

package idiom.chained_bodies

p if {
	input.missing
} {
	input.yes
}

package idiom.deep_reference_of_call

p := split(input.path, "/")[1]

package idiom.reference_with_call_inside

p := data.base.roles[lower("KIM")][0]

package idiom.reference_with_undefined_call_inside

p := data.base.roles[lower(input.missing)]

package idiom.in_as_value

p := [1 in input.list, 9 in input.list]

package idiom.not_not_by_rule

p if not q
q if not r
r if input.yes

package idiom.assignment_of_negation_operand

p := x if {
	x := input.n
	not x == 4
	not x < 3
}

package idiom.not_function_of_iterated

p contains x if {
	x := input.list[_]
	not f(x, input.object.c)
}
f(x, y) if x == y

package idiom.not_function_of_member

p contains r.id if {
	some r in data.base.rows
	not f(r.open)
}
f(x) if x

package idiom.not_with_function_mock

p if not f(input.n) with f as g
f(_) := true
g(x) := x > 5

package idiom.reference_by_with_only

q := input.extra
p if not q with input as {"a": 1}

package idiom.with_input_is_undefined_before

p := x if x := input.a.b with input.a.b as 3

package idiom.negated_comparison_of_rules

a := input.missing
b := 1
p if not a == b

package idiom.negated_comparison_of_rules_less

a := input.missing
b := 1
p if not a < b

package idiom.negated_reference_into_rule

q := {"a": {"b": false}}
p if not q.a.b

package idiom.negated_object

p if not {"a": input.missing}

package idiom.double_use_of_rule_in_with

name := input.user
q := n if n := name with input.user as "lee"
p := [q, name]

package idiom.not_index_of_iterated_local

p if {
	users := input.roles
	some u in users
	not data.base.grants[u].write
}

package idiom.not_index_of_iterated_local_bare

p if {
	users := ["a", "zed"]
	some u in users
	not data.base.grants[u]
}

package idiom.index_of_later_name

p if {
	zed := input.user
	x := lower(zed)
	data.base.roles[x]
}

package idiom.not_index_of_later_name

p if {
	zed := "lee2"
	x := lower(zed)
	not data.base.roles[x]
}

package idiom.not_index_local_call

p if {
	name := input.user
	not data.base.roles[upper(name)]
}

package idiom.not_index_local_member

p if {
	one := input.nested
	not data.base.roles[one.tags[0]]
}

package idiom.not_call_of_iterated_local

p if {
	users := ["a", "zed"]
	some u in users
	not startswith(u, "z")
}

package idiom.not_membership_of_iterated_local

p if {
	users := ["a", "zed"]
	some u in users
	not u in input.roles
}

package idiom.comprehension_index_of_iterated_local

p := [u | users := ["a", "zed"]; some u in users; not data.base.grants[u]]

package idiom.with_value_local_then_index

name := input.user
p if {
	x := name with input as {"user": lower("LEE")}
	data.base.roles[x]
}

package idiom.not_with_value_local

q := input.user
p if {
	some u in ["lee", "kim"]
	not q == "kim" with input.user as u
}

package idiom.object_pattern_exact

p if {"a": x} = input.object

package idiom.object_pattern_superset_negated

p if not {"a": 1} = input.object

package idiom.object_pattern_assigned

p := x if {"id": x} := data.base.rows[0]

package idiom.array_pattern_longer

p if [x] = input.roles

package idiom.array_pattern_assigned

p := x if [x] := input.roles

package idiom.some_array_pattern

p := [x | some [x] in [[1], [2, 3]]]

package idiom.import_shadowed_by_local

import data.base.roles
p := x if {
	roles := {"kim": "own"}
	x := roles.kim
}

package idiom.import_shadowed_by_parameter

import data.base.roles
p := f({"kim": "own"})
f(roles) := roles.kim

package idiom.import_of_input

import input.nested
import input.nested.tags as marks
p := [nested.name, marks[0]]

package idiom.import_in_not

import data.base.roles
p if not roles[input.text]

package idiom.import_in_with

import data.base
p := x if x := base.roles.kim with data.base.roles as {"kim": 3}

package idiom.import_as_value

import data.base.roles
p := count(roles)

package idiom.with_full_function_mock

p := x if x := g(2) with data.idiom.with_full_function_mock.f as h
f(x) := x
g(x) := f(x)
h(x) := x * 10

package idiom.with_full_function_value

p := x if x := g(2) with data.idiom.with_full_function_value.f as 7
f(x) := x
g(x) := f(x)

package idiom.with_function_mock_of_builtin

p := x if x := g("a") with upper as lower
g(x) := upper(x)

package idiom.with_function_mock_recursion

p := x if x := f(2) with f as h
f(x) := x + 1
h(x) := f(x) * 10

package idiom.pattern_nested

p := [[y, z] | some r in [{"a": {"b": 1}, "c": 2}, {"a": {"b": 1, "x": 3}, "c": 2}]; {"a": {"b": y}, "c": z} := r]

package idiom.pattern_in_array

p := y if [{"id": y}, _] = data.base.rows

package idiom.pattern_in_array_exact

p := y if [_, {"id": y}] = data.base.rows

package idiom.pattern_no_object

p if {"a": x} = input.list

package idiom.pattern_negated_bound

p if {
	x := 1
	not {"a": x} = input.object
}

package idiom.pattern_parameter

p := [f(r) | some r in data.base.rows]
f({"id": x}) := x
f({"id": x, "open": _}) := x + 10

package idiom.pattern_parameter_else

p := [f(r) | some r in data.base.rows]
f({"id": x}) := x if x > 5
else := x + 1

package idiom.pattern_parameter_without_body

p := [r.id | some r in data.base.rows; f(r)]
f({"id": _})

package idiom.pattern_parameter_repeated

p := [f(1, {"a": 1}), f(2, {"a": 3})]
f(x, {"a": x}) := "same"
f(x, {"a": y}) := "other" if x != y

package idiom.pattern_key_value

p := [[k, y] | some k, {"id": y} in data.base.rows]

package idiom.pattern_with

p := x if {"a": x} := input.object with input.object as {"a": 7}

package idiom.some_in_number

p := [x | some x in input.n]

package idiom.some_in_null

p if not q
q if some x in input.nothing

package idiom.some_in_text

default p := "none"
p := x if some x in input.text

package idiom.some_in_pair_of_number

p := [x | some k, x in input.n; k == x]

package idiom.some_in_set

p := {x | some x in {"a", "b"}}

package idiom.some_in_set_rule

q contains r if some r in input.roles
p := {[k, x] | some k, x in q}

package idiom.some_in_object_pair

p := {k: v | some k, v in input.object}

package idiom.some_in_call

p := [x | some x in split(input.path, "/")]

package idiom.some_in_call_undefined

p := [x | some x in split(input.missing, "/")]

package idiom.some_in_constant

p if some "a" in input.roles

package idiom.some_in_constant_key

p := x if some 0, x in input.roles

package idiom.some_in_false_members

p := [x | some x in [false, null, 0]]

package idiom.some_in_false_members_of_rule

q := [false, null, 0]
p := [x | some x in q]

package idiom.some_in_wildcard

p := count([1 | some _ in input.list])

package idiom.some_in_wildcard_pair

p := [x | some _, x in input.list]

package idiom.some_in_key_only

p := [k | some k, _ in input.object]

package idiom.some_in_shadowing

p := [x | some x in input.list; y := [x | some x in input.roles]; count(y) == 2]

package idiom.some_in_nested

p := [[x, y] | some x in input.list; some y in input.roles; x < 2]

package idiom.some_in_dependent

p := [y | some r in [{"l": [1, 2]}, {"l": 3}]; some y in r.l]

package idiom.some_in_pattern_array

p := [b | some [a, b] in [[1, 2], [3, 4], [5]]; a > 0]

package idiom.some_in_union

p := {x | some x in {1, 2} | {3}}

package idiom.builtin_error_type

p := lower(input.n)

package idiom.builtin_error_object_get

p if not object.get(input.nothing, "a", 1)

package idiom.builtin_error_in_comprehension

p := [y | some x in ["1", "a", "2"]; y := to_number(x)]

package idiom.builtin_error_in_every

p if every x in ["1", "a"] { to_number(x) > 0 }

package idiom.builtin_error_in_function

default p := 0
p := f(input.text)
f(x) := to_number(x)

package idiom.builtin_error_then_conflict

p := f(1)
f(x) := 1
f(x) := 2 if x == 1

package idiom.alias_then_index

p := data.base.roles[y] if {
	x := input.user
	y := x
}

package idiom.alias_then_index_not

p if {
	x := "nobody"
	y := x
	not data.base.roles[y]
}

package idiom.alias_of_iterated_index

p := [y | some e in input.roles; x := e; y := data.base.grants[x]]

package idiom.else_value_of_index

p := input.object[k] if {
	k := input.text
} else := 5 if {
	input.missing
}

package idiom.else_value_of_index_falls_through

p := input.object[k] if {
	k := input.text
} else := input.list[i] if {
	i := 1
} else := 9

package idiom.else_value_of_index_found

p := input.object[k] if {
	k := "b"
} else := 9

package idiom.else_function_value_of_index

p := [f("a"), f("z")]
f(x) := input.object[x] if {
	x != "b"
} else := 9

package idiom.else_value_undefined_call

p := lower(input.missing) if {
	input.yes
} else := "none"

package idiom.value_of_index_undefined

p := input.object[k] if {
	k := input.text
}

package idiom.value_of_index_of_function

p := f("z")
f(x) := input.object[x]

package idiom.member_of_index

p contains input.object[k] if some k in ["a", "z"]

package idiom.partial_of_index

p[k] := input.object[k] if some k in ["a", "z"]

package idiom.value_of_index_in_else_only

p := 1 if {
	input.missing
} else := input.object[k] if {
	k := input.text
}

package idiom.order_of_kinds

p := [x < y | some x in [null, false, 1, "a", [1], {"a": 1}, {1}]; some y in [{"b": 1}, {2}, "b", 0, [0], true, null]]

package idiom.order_of_objects

p := [x < y | some x in [{"a": 1}, {"a": 2}, {"b": 0}, {}]; some y in [{"a": 1, "b": 2}, {"a": 1}, {"c": 0}]]

package idiom.order_of_sets

p := [x >= y | some x in [{1}, {1, 2}, {3}, set()]; some y in [{1}, {2}, {1, 3}]]

package idiom.order_of_arrays

p := [x <= y | some x in [[1], [1, 2], [3], []]; some y in [[1], [2], [1, 3]]]

package idiom.order_undefined

p if not input.missing < input.n

package idiom.order_in_not

p if not input.n < input.zero

package idiom.every_unify

p if every v in input.object { v = 1 }

package idiom.every_unify_reference

p if every v in input.object { input.n = v }

package idiom.every_unify_local

p if {
	n := 1
	every v in input.object { n = v }
}

package idiom.every_unify_itself

p if every v in input.object { v = v }

package idiom.every_unify_new

p if every v in input.object { y = v; y > 0 }

package idiom.every_unify_array

p if every v in [[1, 2], [3, 4]] { [x, y] = v; x < y }

package idiom.every_unify_array_bound

p if every v in [[1, 2], [3, 4]] { v = [1, 2] }

package idiom.every_unify_key

p if every k, v in input.list { k = v }

package idiom.every_unify_in_not

p if every v in input.list { not v = 2 }

package idiom.every_unify_in_comprehension

p if every v in input.list { count([x | some x in input.list; x = v]) = 1 }

package idiom.parameter_unify

p if f(1)
f(x) if x = 2

package idiom.parameter_unify_array

p := f([1, 2])
f(x) := y if [1, y] = x

package idiom.comprehension_unify_outer

p := [x | some x in input.list; y := [z | some z in input.list; z = x]; count(y) == 1]

package idiom.some_in_unify

p := [x | some x in input.list; x = 2]

package idiom.some_in_of_some_in

p := [[k, v] | some r in data.base.rows; some k, v in r]

package idiom.some_in_of_some_in_body

p contains k if {
	some r in data.base.rows
	some k, v in r
	v
}

package idiom.some_behind_iteration

p contains [x, y] if {
	some r in [[1, 2], [3]]
	some x
	y := r[x]
}

package idiom.import_shadowed_in_head

import data.base.roles
p := roles.kim if {
	roles := {"kim": "own"}
}

package idiom.import_shadowed_in_else

import data.base.roles
p := 1 if {
	input.missing
} else := roles.kim if {
	roles := {"kim": "own"}
}

package idiom.import_shadowed_in_member

import data.base.roles
p contains roles.a if some roles in [{"a": 1}, {"a": 2}]

package idiom.import_shadowed_in_comprehension

import data.base.roles
p := [roles.a | some roles in [{"a": 1}, {"a": 2}]]

package idiom.pattern_then_index

p := data.base.grants[r] if {
	[r, _] := input.roles
}

package idiom.pattern_object_then_index

p := input.list[n] if {
	{"id": n} := data.base.rows[1]
}

package idiom.template_of_constants_under_with

p := $"{1 with input as input.missing} {"s" with input as input.missing} {[1] with input as input.missing}"

package idiom.template_of_names_under_with

p := s if {
	k := 5
	s := $"{k with input as input.missing} {[k] with input as input.missing} {k + 1 with input as input.missing}"
}

package idiom.template_of_the_input_under_with

p := $"{input with input as 7} {data.base.rows with data.base.rows as 8}"
