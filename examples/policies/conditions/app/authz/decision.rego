# Who owns it, when it is, and how the person signed in.
#
# - Owners read their records at any time; support reads everybody's in office hours, masked.
# - Owners write in office hours, or at any time after signing in with a second factor.
# - Deleting needs a second factor within the last 15 minutes.
package app.authz

import data.app.calendar

default allow := false

allow if {
	input.action.name == "read"
	is_owner
}

allow if reads_for_support

allow if {
	input.action.name == "write"
	is_owner
	is_writing_time
}

allow if {
	input.action.name == "delete"
	is_owner
	has_second_factor
	is_fresh
}

decision := {"allow": allow, "reasons": reasons, "obligations": obligations}

obligations := {"mask": ["salary", "birth_date"]} if {
	reads_for_support
	not is_owner
} else := {}

# 900 s: how long a sign-in counts as fresh.
fresh_s := 900

is_owner if {
	input.subject.type == "user"
	input.resource.properties.owner == input.subject.id
}

reads_for_support if {
	input.action.name == "read"
	"support" in input.subject.properties.roles
	calendar.is_office_hour(input.context.time)
}

is_writing_time if calendar.is_office_hour(input.context.time)

is_writing_time if has_second_factor

# RFC 8176: one-time password, hardware key, software key, or several factors by name.
has_second_factor if {
	some method in input.subject.properties.amr
	method in {"otp", "hwk", "swk", "mfa"}
}

is_fresh if {
	input.context.time - input.subject.properties.auth_time <= fresh_s
}

reasons contains "only the owner may do this" if {
	not allow
	not is_owner
}

reasons contains "outside office hours this needs a second factor" if {
	input.action.name == "write"
	is_owner
	not is_writing_time
}

reasons contains "this needs a second factor" if {
	input.action.name == "delete"
	is_owner
	not has_second_factor
}

reasons contains "sign in again: the last time is too long ago" if {
	input.action.name == "delete"
	is_owner
	has_second_factor
	not is_fresh
}
