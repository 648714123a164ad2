package app.authz_test

import data.app.authz

# Thursday, 1 January 2026, noon and 22:00 UTC.
noon := 1767225600 + (12 * 3600)

night := 1767225600 + (22 * 3600)

owner := {"id": "user_1", "roles": [], "amr": ["pwd"], "auth_time": noon}

request(subject, action, time) := {
	"subject": {
		"type": "user",
		"id": subject.id,
		"properties": {
			"roles": subject.roles,
			"amr": subject.amr,
			"auth_time": subject.auth_time,
		},
	},
	"action": {"name": action},
	"resource": {"type": "record", "id": "7", "properties": {"owner": "user_1"}},
	"context": {"time": time},
}

decide(subject, action, time) := decision if {
	decision := authz.decision with input as request(subject, action, time)
}

test_owners_read_at_any_time if {
	decide(owner, "read", noon).allow
	decide(owner, "read", night).allow
}

test_others_do_not_read if {
	decision := decide(object.union(owner, {"id": "user_2"}), "read", noon)
	decision.allow == false
	decision.reasons == {"only the owner may do this"}
}

test_support_reads_masked_in_office_hours if {
	support := object.union(owner, {"id": "user_2", "roles": ["support"]})
	decision := decide(support, "read", noon)
	decision.allow
	decision.obligations == {"mask": ["salary", "birth_date"]}
	decide(support, "read", night).allow == false
}

test_owners_see_their_own_record_unmasked if {
	decision := decide(object.union(owner, {"roles": ["support"]}), "read", noon)
	decision.obligations == {}
}

test_writing_at_night_needs_a_second_factor if {
	decide(owner, "write", noon).allow
	decision := decide(owner, "write", night)
	decision.allow == false
	decision.reasons == {"outside office hours this needs a second factor"}
	decide(object.union(owner, {"amr": ["pwd", "otp"]}), "write", night).allow
}

test_deleting_needs_a_second_factor if {
	decision := decide(owner, "delete", noon)
	decision.allow == false
	decision.reasons == {"this needs a second factor"}
}

test_deleting_needs_a_fresh_sign_in if {
	strong := object.union(owner, {"amr": ["pwd", "hwk"]})
	decide(strong, "delete", noon + 900).allow
	decision := decide(strong, "delete", noon + 901)
	decision.allow == false
	decision.reasons == {"sign in again: the last time is too long ago"}
}

test_nobody_deletes_for_another if {
	stranger := object.union(owner, {"id": "user_2", "amr": ["hwk"], "roles": ["support"]})
	decide(stranger, "delete", noon).allow == false
}
