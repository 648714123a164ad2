package app.authz_test

import data.app.authz

roles := {
	"reader": {"document:read": true},
	"editor": {"document:read": true, "document:write": true},
}

request(org, names, action, properties) := {
	"subject": {"type": "user", "id": "user_1", "properties": {"org": org, "roles": names}},
	"action": {"name": action},
	"resource": {"type": "document", "id": "1", "properties": properties},
	"context": {"time": 1767225600, "method": "GET", "path": "/documents/1"},
}

decide(org, names, action, properties) := decision if {
	decision := authz.decision with input as request(org, names, action, properties)
		with data.plinto.roles as roles
}

test_a_reader_reads if {
	decide("org_a", ["reader"], "read", {}) == {"allow": true, "reasons": set(), "obligations": {}}
}

test_a_reader_does_not_write if {
	decision := decide("org_a", ["reader"], "write", {})
	decision.allow == false
	decision.reasons == {"none of your roles permits document:write"}
}

test_one_of_several_roles_is_enough if {
	decide("org_a", ["guest", "editor"], "write", {}).allow
}

test_an_unknown_role_permits_nothing if {
	decide("org_a", ["root"], "read", {}).allow == false
}

test_no_role_permits_nothing if {
	decide("org_a", [], "read", {}).allow == false
}

test_a_resource_of_the_own_organization if {
	decide("org_a", ["reader"], "read", {"organization": "org_a"}).allow
}

test_a_resource_of_another_organization if {
	decision := decide("org_a", ["editor"], "read", {"organization": "org_b"})
	decision.allow == false
	decision.reasons == {"this belongs to another organization"}
}

test_without_an_organization_roles_do_not_count if {
	decision := authz.decision with data.plinto.roles as roles
		with input as {
			"subject": {"type": "user", "id": "user_1", "properties": {"roles": ["editor"]}},
			"action": {"name": "read"},
			"resource": {"type": "document", "id": "1", "properties": {}},
			"context": {},
		}
	decision.allow == false
	decision.reasons == {"choose an organization first"}
}

test_anybody_sees_the_front_page if {
	decision := authz.decision with data.plinto.roles as roles
		with input as {
			"subject": {"type": "anonymous", "id": "", "properties": {}},
			"action": {"name": "visit"},
			"resource": {"type": "home", "id": "", "properties": {}},
			"context": {},
		}
	decision.allow
}

test_every_route_asks_for_what_a_role_can_permit if {
	every route in data.plinto.routes {
		route.action in {"visit", "read", "write"}
	}
}
