# Office hours, from nothing but the request's time in Unix seconds (UTC).
package app.calendar

opens := 8

closes := 18

hour(time) := floor((time % 86400) / 3600)

# 0 is Sunday. 1 January 1970 was a Thursday.
weekday(time) := (floor(time / 86400) + 4) % 7

is_office_hour(time) if {
	weekday(time) in {1, 2, 3, 4, 5}
	hour(time) >= opens
	hour(time) < closes
}
