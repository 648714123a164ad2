package app.calendar_test

import data.app.calendar

# 2026-01-01 was a Thursday.
thursday := 1767225600

test_weekdays if {
	calendar.weekday(0) == 4
	calendar.weekday(thursday) == 4
	calendar.weekday(thursday + (3 * 86400)) == 0
}

test_the_day_begins_and_ends_on_the_hour if {
	not calendar.is_office_hour((thursday + (8 * 3600)) - 1)
	calendar.is_office_hour(thursday + (8 * 3600))
	calendar.is_office_hour((thursday + (18 * 3600)) - 1)
	not calendar.is_office_hour(thursday + (18 * 3600))
}

test_weekends_are_closed if {
	not calendar.is_office_hour((thursday + (2 * 86400)) + (12 * 3600))
	not calendar.is_office_hour((thursday + (3 * 86400)) + (12 * 3600))
}
