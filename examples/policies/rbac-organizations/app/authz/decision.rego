# Roles in organizations decide.
#
# A member of an organization has roles there; the token carries them. What a role permits is
# `data.plinto.roles[role]["document:read"] = true`, written into the bundle by the control plane,
# so a permission is looked up and never searched for.
package app.authz

default allow := false

allow if public

allow if {
	in_organization
	some role in input.subject.properties.roles
	data.plinto.roles[role][permission]
}

decision := {"allow": allow, "reasons": reasons, "obligations": {}}

permission := concat(":", [input.resource.type, input.action.name])

# Everybody sees the front page.
public if {
	input.resource.type == "home"
	input.action.name == "visit"
}

# A resource whose path names an organization belongs to it; others belong to the subject's own.
default in_organization := false

in_organization if {
	input.subject.properties.org
	not names_organization
}

in_organization if {
	input.resource.properties.organization == input.subject.properties.org
}

names_organization if input.resource.properties.organization

# Why not. The person who asked reads these.
reasons contains "choose an organization first" if {
	not allow
	not input.subject.properties.org
}

reasons contains "this belongs to another organization" if {
	not allow
	input.subject.properties.org
	not in_organization
}

reasons contains sprintf("none of your roles permits %s", [permission]) if {
	not allow
	in_organization
}
