package control

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

// ServerTLS is a server's side of TLS with the certificate and key in two PEM files.
func ServerTLS(certFile, keyFile string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return serverTLS(cert), nil
}

// SelfSignedTLS is a server's side of TLS with a certificate that it makes for itself, in memory, for as long as the
// process lasts, and the fingerprint by which a client knows it.
func SelfSignedTLS(name string) (config *tls.Config, fingerprint string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, "", fmt.Errorf("make a certificate: %w", err)
	}
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    time.Now().Add(-24 * time.Hour), // clocks differ
		NotAfter:     time.Now().AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, "", fmt.Errorf("make a certificate: %w", err)
	}
	return serverTLS(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}), Fingerprint(der), nil
}

func serverTLS(cert tls.Certificate) *tls.Config {
	// HTTP/2 is left out: a connection a request under way is all that is needed.
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
}

// Fingerprint is how a certificate, in DER, is known: by its SHA-256.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:])
}

var errPin = errors.New("the server's certificate is not the one that is pinned")

// ClientTLS is a client's side of TLS: it trusts the certificate with the fingerprint pin, those that the PEM file
// caFile vouches for, or, where both are empty, those that the system trusts.
func ClientTLS(pin, caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	switch {
	case pin != "" && caFile != "":
		return nil, errors.New("a pin and a CA file: give one of them")
	case pin != "":
		pin = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(pin), "sha256:"), ":", ""))
		if sum, err := hex.DecodeString(pin); err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("a pin is sha256: and 64 hexadecimal digits, as the server prints it")
		}
		config.InsecureSkipVerify = true // it is verified below, by the pin alone
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if got := Fingerprint(state.PeerCertificates[0].Raw); got != "sha256:"+pin {
				return fmt.Errorf("%w: it is %s. With --tls-auto a server has a new one after every start; if it was not started anew, this is another server", errPin, got)
			}
			return nil
		}
	case caFile != "":
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read the CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", caFile)
		}
	}
	return config, nil
}
