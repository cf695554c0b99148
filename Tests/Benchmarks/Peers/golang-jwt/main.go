// Verifies one token many times with golang-jwt, its key read once.
// Arguments: token file, PEM file, JWK file, issuer, audience. Prints microseconds of processor time per verification.
package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/golang-jwt/jwt/v5"
)

func seconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	total := usage.Utime.Nano() + usage.Stime.Nano()
	return float64(total) * 1e-9
}

func main() {
	text, _ := os.ReadFile(os.Args[1])
	pem, _ := os.ReadFile(os.Args[2])
	token := strings.TrimSpace(string(text))
	key, err := jwt.ParseECPublicKeyFromPEM(pem)
	if err != nil {
		os.Exit(2)
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(os.Args[4]),
		jwt.WithAudience(os.Args[5]), jwt.WithExpirationRequired())
	find := func(*jwt.Token) (interface{}, error) { return key, nil }
	rounds, start := 0, seconds()
	for seconds()-start < 0.3 {
		for i := 0; i < 50; i++ {
			if _, err := parser.Parse(token, find); err != nil {
				os.Exit(1)
			}
		}
		rounds += 50
	}
	fmt.Printf("%.3f\n", (seconds()-start)*1e6/float64(rounds))
}
