// Package typednil finds interface values that are not nil and contain a nil pointer, such as
// those of a variable that an application forgot to set. Calls of their methods usually panic,
// and often much later. Constructors refuse them.
package typednil

import (
	"fmt"
	"reflect"
)

// Check returns an error if v contains a nil pointer. A nil interface is not an error.
func Check(v any) error {
	if value := reflect.ValueOf(v); value.Kind() == reflect.Pointer && value.IsNil() {
		return fmt.Errorf("a nil %T", v)
	}
	return nil
}
