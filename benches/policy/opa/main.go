// Measures OPA as a library: a prepared query, asked with JSON text, answered with JSON text.
//
// usage: go run . <policy.rego> <data.json> <request.json>     prints microseconds for one decision
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

const (
	rounds = 10
	calls  = 500
)

func read(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return text
}

func main() {
	policy, data, request := read(os.Args[1]), read(os.Args[2]), read(os.Args[3])
	var document map[string]any
	if err := util.UnmarshalJSON(data, &document); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.app.authz.decision"),
		rego.Module("policy.rego", string(policy)),
		// values as OPA reads them, so that a query needs not convert the data it asks for
		rego.Store(inmem.NewFromObjectWithOpts(document, inmem.OptReturnASTValuesOnRead(true))),
	).PrepareForEval(ctx)
	if err != nil {
		log.Fatal(err)
	}
	ask := func() []byte {
		var input any
		if err := util.NewJSONDecoder(bytes.NewReader(request)).Decode(&input); err != nil {
			log.Fatal(err)
		}
		result, err := query.Eval(ctx, rego.EvalInput(input))
		if err != nil || len(result) != 1 {
			log.Fatal("no decision: ", err)
		}
		answer, err := json.Marshal(result[0].Expressions[0].Value)
		if err != nil {
			log.Fatal(err)
		}
		return answer
	}
	if !bytes.Contains(ask(), []byte(`"allow":true`)) {
		log.Fatal("the policy refuses: ", string(ask()))
	}
	best := time.Duration(1 << 62)
	for round := 0; round < rounds; round++ {
		began := time.Now()
		for call := 0; call < calls; call++ {
			ask()
		}
		best = min(best, time.Since(began)/calls)
	}
	fmt.Printf("%.3f\n", float64(best.Nanoseconds())/1000)
}
