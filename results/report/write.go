package report

import (
	"bytes"
	"encoding/json"
	"io"

	"tcpvsudp/results"
)

// A document can be written in every format: as the rows of a CSV file, as a value of JSON, and as text or Markdown.
type document[T any] struct {
	rows []T
	json any
	text func(w *bytes.Buffer, markdown bool) error
}

// write writes d in format f: all of it or, on an error, nothing.
func (d document[T]) write(w io.Writer, f Format) error {
	var out bytes.Buffer
	switch f {
	case CSV:
		encoded, err := results.EncodeCSV(d.rows, true)
		if err != nil {
			return err
		}
		out.Write(encoded)
	case JSON:
		enc := json.NewEncoder(&out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(d.json); err != nil {
			return err
		}
	default:
		if err := d.text(&out, f == Markdown); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
