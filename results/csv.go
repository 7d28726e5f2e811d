package results

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jszwec/csvutil"
)

// EncodeCSV returns rows as CSV, with the line of column names first if header is set.
func EncodeCSV[T any](rows []T, header bool) ([]byte, error) {
	var buf bytes.Buffer
	out := csv.NewWriter(&buf)
	enc := csvutil.NewEncoder(out)
	enc.AutoHeader = header
	enc.WithMarshalers(csvutil.NewMarshalers(
		csvutil.MarshalFunc(func(v float64) ([]byte, error) { return Known(v).MarshalText() }),
		csvutil.MarshalFunc(func(v string) ([]byte, error) { return []byte(noFormula(v)), nil }),
	))
	if header && len(rows) == 0 {
		var none T
		if err := enc.EncodeHeader(none); err != nil {
			return nil, err
		}
	}
	for _, row := range rows {
		if err := enc.Encode(row); err != nil {
			return nil, err
		}
	}
	out.Flush()
	return buf.Bytes(), out.Error()
}

// quote before text keeps spreadsheets from taking it for a formula. Words of ours never begin like one, but what a server elsewhere says of itself
// stands in trials.csv too.
const quote = "'"

func noFormula(text string) string {
	if text != "" && strings.Contains("=+-@\t\r"+quote, text[:1]) {
		return quote + text
	}
	return text
}

// DecodeCSV reads rows of CSV from r, whose first line names the columns, and hands each to row. Columns
// that T does not know are passed over, and columns that it misses are an error. An error names the file
// and the line.
func DecodeCSV[T any](r io.Reader, file string, row func(T) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	dec, err := csvutil.NewDecoder(in)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:1: empty, or cut off: a whole line of column names belongs here", file)
	}
	if err != nil {
		return fmt.Errorf("%s:1: %w", file, err)
	}
	dec.DisallowMissingColumns = true
	dec.WithUnmarshalers(csvutil.UnmarshalFunc(func(text []byte, v *string) error {
		*v = strings.TrimPrefix(string(text), quote)
		return nil
	}))
	for {
		var v T
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = row(v)
		}
		if err != nil {
			return csvError(file, in, err)
		}
	}
}

// csvError puts file and line before err, once.
func csvError(file string, in *csv.Reader, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("%s:%d: %w", file, parse.Line, parse.Err)
	}
	var missing *csvutil.MissingColumnsError
	if errors.As(err, &missing) {
		return fmt.Errorf("%s:1: %w", file, err)
	}
	line, _ := in.FieldPos(0)
	var decode *csvutil.DecodeError
	if errors.As(err, &decode) {
		return fmt.Errorf("%s:%d: column %s: %w", file, decode.Line, decode.Field, decode.Err)
	}
	return fmt.Errorf("%s:%d: %w", file, line, err)
}

// readCSV reads the rows of a file. A last line without its end is one that a crash cut off, and is
// passed over.
func readCSV[T any](path string, row func(T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	whole, err := wholeLines(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return DecodeCSV(io.NewSectionReader(f, 0, whole), path, row)
}

// readPacked reads the rows of a file that gzip has packed, which was whole then.
func readPacked[T any](path string, row func(T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return DecodeCSV(unpacked, path, row)
}

// wholeLines returns the length of f up to the end of its last whole line.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const step = 4096
	buf := make([]byte, step)
	for end := info.Size(); end > 0; {
		start := max(end-step, 0)
		n, err := f.ReadAt(buf[:end-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// table is a CSV file that grows.
type table struct {
	file *os.File
	size int64
}

// createTable makes the file with its line of column names, those of T.
func createTable[T any](path string) (*table, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	head, err := EncodeCSV[T](nil, true)
	t := &table{file: f}
	if err == nil {
		err = t.write(head)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// appendRows adds rows to t in one write: all of them or, on an error, none.
func appendRows[T any](t *table, rows []T) error {
	text, err := EncodeCSV(rows, false)
	if err != nil {
		return fmt.Errorf("write %s: %w", t.file.Name(), err)
	}
	return t.write(text)
}

func (t *table) write(text []byte) error {
	if _, err := t.file.WriteAt(text, t.size); err != nil {
		_ = t.file.Truncate(t.size) // best effort: a reader passes over a line without its end
		return err                  // an *os.PathError: it names the file
	}
	t.size += int64(len(text))
	return nil
}

// Table reads all of text as CSV, the line of column names first.
func Table(text []byte) ([][]string, error) { return csv.NewReader(bytes.NewReader(text)).ReadAll() }
