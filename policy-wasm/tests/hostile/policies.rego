Policies that mean harm, written down: `# name`, and rules that define `p`.

# a loop over a loop over a loop
p := [x * y * z | some x in input.context.list; some y in input.context.list; some z in input.context.list]

# comprehensions over what comprehensions made
p := {x | some x in a; some y in a; x != y}

a := [[x, y] | some x in input.context.list; some y in input.context.list]

# sets of sets of sets
p := {{{x, y} | some y in input.context.list} | some x in input.context.list}

# a set of growing sets
p := {{y | some y in input.context.list; y < x} | some x in input.context.list}

# a set of growing arrays
p := {array.slice(input.context.list, 0, x) | some x in input.context.list}

# an object with growing keys
p := {array.slice(input.context.list, 0, x): x | some x in input.context.list}

# a partial rule with growing keys
p[array.slice(input.context.list, 0, x)] := x if some x in input.context.list

# a partial set with growing members
p contains array.slice(input.context.list, 0, x) if some x in input.context.list

# a partial rule, asked for growing keys
p := [q[array.slice(input.context.list, 0, x)] | some x in input.context.list]

q[k] := 1 if k in [input.context.list]

# a partial set, asked for each of its members
p := [x | some x in input.context.list; q[x]]

q contains x if some x in input.context.list

# an object rule, asked for each of its keys
p := [q[x] | some x in input.context.list]

q[x] := y if {
	some x in input.context.list
	some y in input.context.list
	x == y
}

# an object rule in objects
p := q

q[x][y][z] := 1 if {
	some x in input.context.list
	some y in input.context.list
	some z in input.context.list
}

# rules that never agree
p := x if some x in input.context.list

# rules that agree often
p := count(input.context.list) if some x in input.context.list

# keys that never agree
p[1] := x if some x in input.context.list

# functions without an end
p := f(1)

f(x) := f(x + 1)

# rules that ask each other
p := q

q := r

r := q

# a reference that comes back
p := data.app.authz[input.action.name]

read := data.app.authz[x] if some x in ["read", "other"]

other := data.app.authz.read

# all of data, from inside
p := data

# all of data, again and again
p := [data.app.authz.q | some _ in input.context.list]

q := input.context.object

# every package, one by one
p := [x | some x; data[x]; data.app[y]; some z in input.context.list]

# walk over everything
p := [path | walk(input, [path, _])]

# walk in walk
p := [[a, b] | walk(input, [a, _]); walk(input, [b, _])]

# walk over what is deep
p := [v | [_, v] := walk(input.context.deep); [_, _] := walk(v)]

# with in a loop
p := [q | some x in input.context.list; q with input as x]

q := input

# with in a loop, on a part of a large input
p := [q | some x in input.context.list; q with input.context.list as x]

q := input.context.object

# with in a loop, on data
p := [x | some x in input.context.list; q with data.some.path.deep.below as x]

q if data.some

# with on many parts of data
p := x if x := q with data.a.b as 1 with data.a.c as 2 with data.a.d.e.f as 3 with data.a.d as 4

q := data

# with on a function
p := [y | some x in input.context.list; some _ in input.context.list; y := f(x) with f as g]

f(x) := x

g(x) := f([x])

# with on a builtin that calls itself
p := [y | some x in input.context.list; y := count([x]) with count as f]

f(x) := count([x, x])

# with and all rules again
p := [1 | some x in input.context.list; data.app.authz.a with input.context.text as x]

a := [y | some y in input.context.list]

# every in every
p if {
	every x in input.context.list {
		every y in input.context.list {
			x + y > 0
		}
	}
}

# not in not
p if not not_all

not_all if {
	some x in input.context.list
	not some_below(x)
}

some_below(x) if {
	some y in input.context.list
	y < x - 1000000
}

# else in a loop
p := [f(x) | some x in input.context.list]

f(x) := 1 if {
	some y in input.context.list
	y > 5000
} else := 2 if {
	some y in input.context.list
	y > 6000
} else := 3

# prints in a loop
p if {
	some x in input.context.list
	print(input.context.text, x)
	x < 0
}

# prints of a comprehension
p := [1 | some x in input.context.list; print(input.context.object)]

# texts that add up
p := concat("", [input.context.text | some x in input.context.list])

# a text for each
p := [concat("", [input.context.text, x]) | some x in input.context.texts; some y in input.context.list]

# sprintf for each
p := {sprintf("%v %v %v", [x, y, input.context.object]) | some x in input.context.list; some y in input.context.list}

# a template for each
p := {$"{x} {y} {input.context.text}" | some x in input.context.list; some y in input.context.list}

# the same text against many patterns
p := [x | some x in input.context.list; regex.match(sprintf("^(a*)*%d$", [x]), input.context.text)]

# a pattern from the input
p if regex.match(input.context.text, input.context.text)

# a glob from the input
p if glob.match(input.context.text, [], input.context.text)

# an argument that grows with each call
p := f([], 1)

f(list, x) := g(array.concat(list, [x]), x + 1)

g(list, x) := list

# objects merged one by one
p := object.union_n([{x: input.context.object} | some x in input.context.texts])

# an object that grows by union
p := object.union_n([object.union(input.context.object, {sprintf("%d", [x]): x}) | some x in input.context.list])

# the decision is too large
p := input.context.deep

# sorted again and again
p := [sort(input.context.list) | some x in input.context.list]

# counted again and again
p := [count({y | some y in input.context.list}) | some x in input.context.list]

# long keys
p := {concat("", [input.context.text, k]): 1 | some k in input.context.texts}

# long keys, asked for
p := [o[concat("", [input.context.text, k])] | some k in input.context.texts]

o := {concat("", [input.context.text, k]): 1 | some k in ["a", "b", "c"]}

# long members, asked for
p := [k | some k in input.context.texts; concat("", [input.context.text, k]) in o]

o := {concat("", [input.context.text, k]) | some k in ["a", "b", "c"]}

# deep values compared
p := [1 | some x in input.context.list; [input.context.deep, x] != [input.context.deep, x + 1]]

# unified with a pattern, again and again
p := [x | some i; [x, _] = [input.context.list[i], input.context.object]; some y in input.context.list]

# the input as a key
p := {input: {input: {input: 1}}}[input]

# a cross product by references
p := [1 | input.context.list[i]; input.context.list[j]; input.context.list[k]; i + j + k < 0]

# a cross product of texts
p := [1 | some a in input.context.texts; some b in input.context.texts; some c in input.context.texts; a == b; b != c]

# big numbers in a loop
p := [x * 1e30000 | some x in input.context.list]

# big whole numbers in a loop
p := [bits.lsh(x, 13000) * bits.lsh(x, 13000) | some x in input.context.list; some y in input.context.list]

# numbers that are compared as texts
p := [1 | some x in input.context.list; some y in input.context.list; 1e300 * x == 1e300 * y]

# numbers as keys
p := {x * 1.5: y | some x in input.context.list; some y in input.context.list}

# a rule with a large key
p := q[input]

q[x] := 1 if x = input

# the rest of a path
p := [v | v := data.app.authz.q[a][b][c]]

q[x][y] contains z if {
	some x in input.context.list
	some y in input.context.list
	some z in input.context.list
}

# negated iterations
p if {
	some x in input.context.list
	not input.context.list[x + 100000]
	not x in input.context.texts
	x < 0
}

# many small calls
p := [abs(abs(abs(abs(abs(abs(abs(abs(x)))))))) | some x in input.context.list; some y in input.context.list]

# a dense graph
p := graph.reachable_paths(input.context.graph, {"n0"})

# a dense graph, each node
p := [graph.reachable(input.context.graph, {n}) | some n, _ in input.context.graph; some x in input.context.list]
