// Package typednil finds interface values that are not nil and contain a nil pointer, such as
// those of a variable that an application forgot to set. Calls of their methods usually panic,
// and often much later. Constructors refuse them.
package typednil

import (
	"fmt"
	"reflect"
)

// Check returns an error if v contains a nil pointer or a nil function. A nil interface is not
// an error.
func Check(v any) error {
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Pointer, reflect.Func:
		if value.IsNil() {
			return fmt.Errorf("a nil %T", v)
		}
	}
	return nil
}
