package amqp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"trento/store/message"
	"trento/store/storetest"
)

// serveEnv makes TestServeAlone the server of BenchmarkIdleConnections, in a
// process of its own, so that its memory and time can be told from those of the
// clients.
const serveEnv = "TRENTO_AMQP_SERVE"

func TestServeAlone(t *testing.T) {
	if os.Getenv(serveEnv) == "" {
		return
	}
	e := openEndpoint(t, storetest.Open(t), Options{})
	fmt.Println("serving", e.url())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var usage syscall.Rusage
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		fmt.Println("figures", len(e.Connections()), memory.HeapAlloc, memory.StackInuse, cpu.Nanoseconds())
	}
}

// BenchmarkIdleConnections holds the connections of 1,000 agents, three each,
// for half a minute. It tells the heap and stack of a connection, and the share
// of one core that heartbeats take.
//
//	go test -run - -bench IdleConnections -benchtime 1x ./ui/amqp
func BenchmarkIdleConnections(b *testing.B) {
	const agents, seconds = 1000, 30
	server := exec.Command(os.Args[0], "-test.run", "^TestServeAlone$")
	server.Env = append(os.Environ(), serveEnv+"=1")
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer server.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	line := func() string {
		if !lines.Scan() {
			b.Fatal("the server has ended")
		}
		return lines.Text()
	}
	url, _ := strings.CutPrefix(line(), "serving amqp://")
	credential, address, _ := strings.Cut(strings.TrimSuffix(url, "/"), "@")
	user, password, _ := strings.Cut(credential, ":")
	figures := func() (connections int, heap, stack, cpu int64) {
		fmt.Fprintln(in)
		if _, err := fmt.Sscanf(line(), "figures %d %d %d %d", &connections, &heap, &stack, &cpu); err != nil {
			b.Fatal(err)
		}
		return
	}
	for b.Loop() {
		_, heapBefore, stackBefore, _ := figures()
		ctx, cancel := context.WithCancel(context.Background())
		began := time.Now()
		for range agents {
			agent := uuid.NewString()
			for _, kind := range message.Kinds {
				if err := holdConnection(ctx, address, user, password, kind, agent); err != nil {
					b.Fatal(err)
				}
			}
		}
		connected := time.Since(began)
		time.Sleep(2 * time.Second) // what connecting has left behind
		held, heap, stack, cpuBefore := figures()
		time.Sleep(seconds * time.Second)
		still, _, _, cpu := figures()
		if held != 3*agents || still != held {
			b.Errorf("%d connections at first, then %d", held, still)
		}
		b.ReportMetric(float64(heap-heapBefore)/float64(held), "heap-B/connection")
		b.ReportMetric(float64(stack-stackBefore)/float64(held), "stack-B/connection")
		b.ReportMetric(100*float64(cpu-cpuBefore)/float64(seconds*time.Second), "%core")
		b.ReportMetric(float64(3*agents)/connected.Seconds(), "connects/s")
		cancel()
	}
	b.ReportMetric(0, "ns/op")
}

// holdConnection opens a connection as an agent does, and sends heartbeats on it
// until ctx is done.
func holdConnection(ctx context.Context, address, user, password string, kind message.Kind, agent string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	out := append([]byte(protocolHeader), startOK(user, password, nil)...)
	out = append(append(out, tuneOK(2047, 131072, 10)...), openVirtualHost("/")...)
	out = append(append(out, openChannelNumber(1)...), openChannelNumber(2)...)
	steps := consumerSteps(1, kind, agent, "ctag-trento-agent-1")
	for _, s := range steps {
		out = appendMethod(out, 1, s.send, s.arguments)
	}
	if _, err := c.Write(out); err != nil {
		return err
	}
	frames := frameReader{source: bufio.NewReaderSize(c, 512), max: frameMax}
	for {
		f, err := frames.next()
		if err != nil {
			return err
		}
		if id, d := methodOf(f); d != nil && id == basicConsumeOK {
			break
		}
	}
	go io.Copy(io.Discard, c)
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.Write(heartbeat)
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}
