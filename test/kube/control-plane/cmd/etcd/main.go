// Command etcd is the unmodified etcd server, in the version that the API server of this module
// is built with.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
