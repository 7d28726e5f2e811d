package results

import (
	"fmt"
	"math"
	"strconv"
)

// A Value is a number that may not have been measured. The zero Value was not; it is written as an empty
// cell in CSV and as null in JSON.
type Value struct {
	number float64
	known  bool
}

// Known returns the Value v; a NaN or an infinity is no measurement and gives the zero Value.
func Known(v float64) Value {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Value{}
	}
	return Value{number: v, known: true}
}

// Ratio returns a / b, not known where b is 0.
func Ratio(a, b float64) Value { return Known(a / b) }

// Get returns the number and whether it was measured.
func (v Value) Get() (number float64, known bool) { return v.number, v.known }

// String is the shortest decimal number that reads back as v, or nothing.
func (v Value) String() string {
	if !v.known {
		return ""
	}
	return strconv.FormatFloat(v.number, 'f', -1, 64)
}

// MarshalText implements encoding.TextMarshaler.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Value) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Value{}
		return nil
	}
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", text)
	}
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return fmt.Errorf("%q is no measurement", text)
	}
	*v = Known(number)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.known {
		return []byte("null"), nil
	}
	return []byte(v.String()), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*v = Value{}
		return nil
	}
	return v.UnmarshalText(text)
}
