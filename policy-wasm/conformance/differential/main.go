// Answers policies with OPA itself, for scripts/fuzz.sh.
//
// It reads lines of JSON up to an empty one, each a policy with its questions, and writes as many
// lines, each an array of answers: "=" and the value as Rego writes it, "undefined", "!" and the code
// of the error, "refused" and the code where the compiler refused the policy. It ends with its input.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"
	"github.com/open-policy-agent/opa/v1/version"
)

// As `differential/pair.rs` writes it.
type policy struct {
	Modules []string        `json:"modules"`
	Data    json.RawMessage `json:"data"`
	Asks    []ask           `json:"asks"`
}

type ask struct {
	Input  json.RawMessage `json:"input"`
	Strict bool            `json:"strict"`
}

var query = ast.MustParseBody("data.t.p = x")

// One policy may not hold up all others.
const deadline = time.Second

func compile(policy policy, data map[string]any, store storage.Store, txn storage.Transaction) (compiled *ast.Compiler, err error) {
	// OPA has bugs of its own.
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("!panic: %v", failure)
		}
	}()
	modules := map[string]*ast.Module{}
	for i, text := range policy.Modules {
		name := fmt.Sprintf("%d.rego", i)
		module, err := ast.ParseModule(name, text)
		if err != nil {
			return nil, err
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler().WithPathConflictsCheck(storage.NonEmpty(context.Background(), store, txn))
	compiler.Compile(modules)
	if compiler.Failed() {
		return nil, compiler.Errors
	}
	return compiler, nil
}

func refused(err error) string {
	var all ast.Errors
	if errors.As(err, &all) && len(all) > 0 {
		return "refused " + all[0].Code + ": " + all[0].Message
	}
	return "refused " + err.Error()
}

// answer asks as OPA does by itself, and again without what only makes it faster: its index of rules and
// its early exit keep it from finding errors. The second answer follows where it is an error.
func answer(compiler *ast.Compiler, store storage.Store, txn storage.Transaction, ask ask) string {
	fast := run(compiler, store, txn, ask, true)
	if slow := run(compiler, store, txn, ask, false); slow != fast && strings.HasPrefix(slow, "!") {
		return fast + "\n" + slow
	}
	return fast
}

func run(compiler *ast.Compiler, store storage.Store, txn storage.Transaction, ask ask, quick bool) (found string) {
	defer func() {
		if failure := recover(); failure != nil {
			found = fmt.Sprint("!panic: ", failure)
		}
	}()
	cancel := topdown.NewCancel()
	timer := time.AfterFunc(deadline, cancel.Cancel)
	defer timer.Stop()
	q := topdown.NewQuery(query).WithCompiler(compiler).WithStore(store).WithTransaction(txn).
		WithStrictBuiltinErrors(ask.Strict).WithTime(time.Unix(0, 0)).WithCancel(cancel).
		WithIndexing(quick).WithEarlyExit(quick)
	if ask.Input != nil {
		input, err := ast.ValueFromReader(bytes.NewReader(ask.Input))
		if err != nil {
			log.Fatal(err)
		}
		q = q.WithInput(ast.NewTerm(input))
	}
	results, err := q.Run(context.Background())
	var known *topdown.Error
	switch {
	case errors.As(err, &known):
		return "!" + known.Code
	case err != nil:
		return "!" + err.Error()
	case len(results) == 0:
		return "undefined"
	}
	return "=" + results[0]["x"].String()
}

func answers(line []byte) []string {
	var policy policy
	if err := json.Unmarshal(line, &policy); err != nil {
		log.Fatal(err)
	}
	var data map[string]any
	if err := util.UnmarshalJSON(policy.Data, &data); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	store := inmem.NewFromObjectWithOpts(data, inmem.OptRoundTripOnWrite(false))
	txn := storage.NewTransactionOrDie(ctx, store)
	defer store.Abort(ctx, txn)
	compiler, err := compile(policy, data, store, txn)
	found := make([]string, 0, len(policy.Asks))
	for _, ask := range policy.Asks {
		if err != nil {
			found = append(found, refused(err))
		} else {
			found = append(found, answer(compiler, store, txn, ask))
		}
	}
	return found
}

// inTime gives up on a policy that takes too long to compile.
func inTime(line []byte) []string {
	done := make(chan []string, 1)
	go func() { done <- answers(line) }()
	select {
	case found := <-done:
		return found
	case <-time.After(4 * deadline):
		var policy policy
		if err := json.Unmarshal(line, &policy); err != nil {
			log.Fatal(err)
		}
		found := make([]string, len(policy.Asks))
		for i := range found {
			found[i] = "!panic: endless"
		}
		return found
	}
}

func batch(lines [][]byte, out *bufio.Writer) {
	found := make([][]string, len(lines))
	var workers sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				found[i] = inTime(lines[i])
			}
		})
	}
	for i := range lines {
		next <- i
	}
	close(next)
	workers.Wait()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, answers := range found {
		if err := encoder.Encode(answers); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	// The first line says who answers.
	fmt.Fprintln(out, version.Version)
	out.Flush()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	var lines [][]byte
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		line = bytes.TrimSpace(line)
		if len(line) > 0 {
			lines = append(lines, line)
			continue
		}
		batch(lines, out)
		lines = nil
	}
}
