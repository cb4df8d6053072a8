package main

import (
	"fmt"
	"time"
)

// humanBytes writes a size with three digits and a binary unit: "1.46 GiB".
func humanBytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), 0
	for value >= 1023.5 && unit < 6 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%s %ciB", threeDigits(value), "BKMGTPE"[unit])
}

func threeDigits(value float64) string {
	switch {
	case value < 9.995:
		return fmt.Sprintf("%.2f", value)
	case value < 99.95:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.0f", value)
}

// humanCount writes a number with spaces between the thousands.
func humanCount(n int64) string {
	if n < 0 {
		return "-" + humanCount(-n)
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}

// humanAge writes how long ago something was, in its largest unit; now is the
// server's clock, not ours.
func humanAge(then, now time.Time) string {
	age := now.Sub(then)
	switch {
	case age < 0:
		return "in the future"
	case age < time.Minute:
		return "just now"
	case age < time.Hour:
		return fmt.Sprintf("%d min ago", age/time.Minute)
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h ago", age/time.Hour)
	}
	return fmt.Sprintf("%d days ago", age/(24*time.Hour))
}

// humanTime writes a moment in UTC, to the second.
func humanTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
