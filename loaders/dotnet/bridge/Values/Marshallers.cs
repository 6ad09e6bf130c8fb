using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Polyplug.Bridge
{
    /// <summary>The marshallers of one bundle, each made once for a node, a type and a direction.</summary>
    internal sealed class Marshallers
    {
        private static readonly Dictionary<Type, Type> ListTypes = new Dictionary<Type, Type>
        {
            { typeof(List<>), typeof(ListOfMarshaller<>) },
            { typeof(Memory<>), typeof(MemoryMarshaller<>) },
            { typeof(ReadOnlyMemory<>), typeof(ReadOnlyMemoryMarshaller<>) },
        };

        private static readonly Type[] CollectionTypes =
        {
            typeof(IList<>), typeof(ICollection<>), typeof(IReadOnlyList<>), typeof(IReadOnlyCollection<>),
            typeof(IEnumerable<>),
        };

        private static readonly Dictionary<Type, Type> MapTypes = new Dictionary<Type, Type>
        {
            { typeof(Dictionary<,>), typeof(DictionaryMarshaller<,>) },
            { typeof(SortedDictionary<,>), typeof(SortedDictionaryMarshaller<,>) },
        };

        private readonly Dictionary<(Node, Type, Use), Marshaller> known = new Dictionary<(Node, Type, Use), Marshaller>();

        /// <summary>The marshallers that were made since the outermost search began, to be forgotten if it fails.</summary>
        private readonly List<(Node, Type, Use)> made = new List<(Node, Type, Use)>();

        private int searches;

        internal Marshallers(Bundle bundle)
        {
            Bundle = bundle;
        }

        /// <summary>The bundle whose values are moved.</summary>
        internal Bundle Bundle { get; }

        /// <summary>Returns the marshaller of a node for values of a type.</summary>
        /// <exception cref="MismatchException">The type does not stand for the node.</exception>
        internal Marshaller Find(Node node, Type type, Use use)
        {
            return Find((node, type, use), () => Make(node, type, use));
        }

        /// <summary>Returns the marshaller of a case's fields.</summary>
        internal Marshaller Body(Node of, Body body, Type type, Use use, string what)
        {
            Marshaller marshaller = Body(body, type, what);
            marshaller.Resolve(this, of, use);
            return marshaller;
        }

        private Marshaller Find((Node, Type, Use) key, Func<Marshaller> make)
        {
            lock (known)
            {
                if (known.TryGetValue(key, out Marshaller found))
                {
                    return found;
                }
                Marshaller marshaller = make() ?? throw MismatchException.Types(key.Item1, key.Item2);
                bool isDone = false;
                searches++;
                known.Add(key, marshaller);
                made.Add(key);
                try
                {
                    marshaller.Resolve(this, key.Item1, key.Item3);
                    isDone = true;
                    return marshaller;
                }
                finally
                {
                    searches--;
                    if (!isDone)
                    {
                        known.Remove(key);
                    }
                    if (searches == 0)
                    {
                        if (!isDone)
                        {
                            made.ForEach(other => known.Remove(other));
                        }
                        made.Clear();
                    }
                }
            }
        }

        private Marshaller Make(Node node, Type type, Use use)
        {
            if (type.IsByRef || type.IsPointer || type.ContainsGenericParameters)
            {
                return null;
            }
            switch (node.Kind)
            {
                case NodeKind.Unit: return type == typeof(ValueTuple) ? new UnitMarshaller() : null;
                case NodeKind.Scalar: return Scalars.Find(node.Scalar, type);
                case NodeKind.String: return type == typeof(string) ? new TextMarshaller() : null;
                case NodeKind.Bytes: return List(type, typeof(byte));
                case NodeKind.List: return List(type, null);
                case NodeKind.Option:
                case NodeKind.Nullable: return Option(node, type);
                case NodeKind.Box: return Generic(typeof(BoxMarshaller<>), type);
                case NodeKind.Map: return Map(type);
                case NodeKind.Tuple: return TupleShape.Is(type) ? Body(node.Body, type, "the tuple") : null;
                case NodeKind.Record: return Record(node, type);
                case NodeKind.Enum: return type.IsEnum ? Generic(typeof(EnumMarshaller<>), type) : null;
                case NodeKind.Object: return Object(node, type);
                case NodeKind.Variant: return Variant(type);
                case NodeKind.Result:
                    return Is(type, typeof(Result<,>))
                        ? Generic(typeof(ResultMarshaller<,>), type.GetGenericArguments()) : null;
                default: return null;
            }
        }

        private static Marshaller Generic(Type marshaller, params Type[] arguments)
        {
            return (Marshaller)Activator.CreateInstance(marshaller.MakeGenericType(arguments));
        }

        private static bool Is(Type type, Type generic)
        {
            return type.IsGenericType && type.GetGenericTypeDefinition() == generic;
        }

        /// <summary>Returns the marshaller of lists. <paramref name="of"/> is the type of the items, if it is known.</summary>
        private static Marshaller List(Type type, Type of)
        {
            Type item = type.IsSZArray ? type.GetElementType()
                : type.IsGenericType && type.GetGenericArguments().Length == 1 ? type.GetGenericArguments()[0] : null;
            if (item == null || item.IsByRef || item.IsPointer || (of != null && item != of))
            {
                return null;
            }
            if (type.IsSZArray)
            {
                return Generic(typeof(ArrayMarshaller<>), item);
            }
            Type generic = type.GetGenericTypeDefinition();
            if (ListTypes.TryGetValue(generic, out Type marshaller))
            {
                return Generic(marshaller, item);
            }
            return CollectionTypes.Contains(generic) ? Generic(typeof(CollectionMarshaller<,>), type, item) : null;
        }

        private static Marshaller Map(Type type)
        {
            if (!type.IsGenericType || type.GetGenericArguments().Length != 2)
            {
                return null;
            }
            Type[] parts = type.GetGenericArguments();
            Type generic = type.GetGenericTypeDefinition();
            if (MapTypes.TryGetValue(generic, out Type marshaller))
            {
                return Generic(marshaller, parts);
            }
            return generic == typeof(IDictionary<,>) || generic == typeof(IReadOnlyDictionary<,>)
                ? Generic(typeof(DictionaryInterfaceMarshaller<,,>), type, parts[0], parts[1]) : null;
        }

        private static Marshaller Option(Node node, Type type)
        {
            if (Is(type, typeof(Option<>)))
            {
                return Generic(typeof(OptionStructMarshaller<>), type.GetGenericArguments());
            }
            if (node.Of.MayBeNone)
            {
                throw new MismatchException("the contract has `" + node.Describe() + "`, an option within an option, which is `"
                    + node.CSharp() + "` in C#, and not `" + TypeNames.Of(type) + "`");
            }
            Type value = Nullable.GetUnderlyingType(type);
            if (value != null)
            {
                return Generic(typeof(NullableMarshaller<>), value);
            }
            return type.IsValueType ? null : Generic(typeof(ReferenceMarshaller<>), type);
        }

        private static Marshaller Body(Body body, Type type, string what)
        {
            return (Marshaller)Activator.CreateInstance(
                typeof(BodyMarshaller<>).MakeGenericType(type), BindingFlags.NonPublic | BindingFlags.Instance, null,
                new object[] { body, what }, null);
        }

        private static Marshaller Record(Node node, Type type)
        {
            bool isTuple = TupleShape.Is(type);
            if (isTuple ? !node.Body.IsNumbered : !IsClass(type))
            {
                return null;
            }
            return Body(node.Body, type, "`" + node.Name + "`");
        }

        private static Marshaller Variant(Type type)
        {
            return type.IsClass && IsClass(type) ? Generic(typeof(VariantMarshaller<>), type) : null;
        }

        /// <summary>Returns whether a type may be one that a plugin's author has made for a record.</summary>
        private static bool IsClass(Type type)
        {
            return (type.IsClass || (type.IsValueType && !type.IsPrimitive && !type.IsEnum)) && type != typeof(string)
                && type != typeof(object) && !type.IsArray && !typeof(Delegate).IsAssignableFrom(type)
                && Nullable.GetUnderlyingType(type) == null;
        }

        private Marshaller Object(Node node, Type type)
        {
            bool isDelegate = type.IsSubclassOf(typeof(MulticastDelegate));
            if (!type.IsInterface && !isDelegate)
            {
                return null;
            }
            return Generic(typeof(ObjectMarshaller<>), type);
        }
    }
}
