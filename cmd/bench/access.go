package main

import (
	"errors"

	"github.com/spf13/pflag"

	"tcpvsudp/control"
)

// accessOptions are the flags by which a client gets into a server elsewhere.
type accessOptions struct {
	secret  string
	tls     bool
	ca, pin string
}

func (o *accessOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.secret, "secret-file", "", "file whose one line is the server's secret")
	f.BoolVar(&o.tls, "tls", false, "control by TLS, with a certificate that this system trusts")
	f.StringVar(&o.ca, "tls-ca", "", "control by TLS, with a certificate that this CA vouches for (PEM file)")
	f.StringVar(&o.pin, "tls-pin", "", "control by TLS, with the certificate of this fingerprint, which the server prints")
}

// validate looks at the flags alone.
func (o *accessOptions) validate(server string) error {
	if server == "" && (o.secret != "" || o.tls || o.ca != "" || o.pin != "") {
		return errors.New("--secret-file and --tls are about a server elsewhere: name it with --server")
	}
	if o.ca != "" && o.pin != "" {
		return errors.New("--tls-ca and --tls-pin: give one of them")
	}
	if o.pin != "" {
		_, err := control.ClientTLS(o.pin, "")
		return err
	}
	return nil
}

// read reads the files that the flags name.
func (o *accessOptions) read() (access control.Access, err error) {
	if o.secret != "" {
		if access.Secret, err = control.ReadSecret(o.secret); err != nil {
			return control.Access{}, err
		}
	}
	if o.tls || o.ca != "" || o.pin != "" {
		access.TLS, err = control.ClientTLS(o.pin, o.ca)
	}
	return access, err
}
