package message

import (
	"google.golang.org/protobuf/types/known/structpb"

	"trento/store/message/wire"
)

// NewFactValue returns the value of a fact as agents send it. The value is one
// that was decoded from JSON.
func NewFactValue(decoded any) (*wire.Fact_Value, error) {
	value, err := structpb.NewValue(decoded)
	return &wire.Fact_Value{Value: value}, err
}
