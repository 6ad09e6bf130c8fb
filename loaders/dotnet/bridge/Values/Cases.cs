using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;

namespace Polyplug.Bridge
{
    /// <summary>Moves the cases of an enum, by name, as values of the enum <typeparamref name="T"/>.</summary>
    internal sealed unsafe class EnumMarshaller<T> : Marshaller<T> where T : struct
    {
        private Node node;
        private T[] values;
        private Dictionary<T, uint> tags;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            string[] names = Enum.GetNames(typeof(T));
            values = new T[of.Cases.Length];
            tags = new Dictionary<T, uint>();
            for (int i = 0; i < values.Length; i++)
            {
                string name = names.FirstOrDefault(known => known == of.Cases[i])
                    ?? names.FirstOrDefault(known => Names.Match(known, of.Cases[i]));
                if (name == null)
                {
                    throw new MismatchException("the enum `" + TypeNames.Of(typeof(T)) + "` has no member for the case `"
                        + of.Cases[i] + "` of `" + of.Name + "`");
                }
                values[i] = (T)Enum.Parse(typeof(T), name);
                if (tags.ContainsKey(values[i]))
                {
                    throw new MismatchException("the enum `" + TypeNames.Of(typeof(T)) + "` has the same value for the cases `"
                        + of.Cases[tags[values[i]]] + "` and `" + of.Cases[i] + "` of `" + of.Name + "`");
                }
                tags.Add(values[i], (uint)i);
            }
        }

        internal override T Read(byte* at, Scope* scope)
        {
            uint tag = *(uint*)at;
            return tag < (uint)values.Length ? values[tag] : throw ValueException.Tag(node.Name, tag, values.Length);
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (!tags.TryGetValue(value, out uint tag))
            {
                throw new ValueException("`" + value + "` is no case of " + node.Name + ", only "
                    + string.Join(", ", node.Cases));
            }
            *(uint*)at = tag;
        }
    }

    /// <summary>Moves the cases of a variant, as objects of classes that derive from <typeparamref name="T"/>.</summary>
    internal sealed unsafe class VariantMarshaller<T> : Marshaller<T> where T : class
    {
        private Node node;
        private IBody[] cases;
        private Dictionary<Type, uint> tags;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            cases = new IBody[of.Cases.Length];
            tags = new Dictionary<Type, uint>();
            Type[] known = typeof(T).Assembly.GetTypes().Where(type => typeof(T).IsAssignableFrom(type) && !type.IsAbstract)
                .ToArray();
            for (int i = 0; i < cases.Length; i++)
            {
                string name = of.Cases[i];
                Type[] found = known.Where(type => Names.Match(Simple(type), name)).ToArray();
                if (found.Length == 0)
                {
                    found = known.Where(type => Names.Match(Simple(type), name + of.Name)
                        || Names.Match(Simple(type), of.Name + name)).ToArray();
                }
                if (found.Length == 0)
                {
                    throw new MismatchException("no class that derives from `" + TypeNames.Of(typeof(T)) + "` is named `"
                        + name + "`, as a case of `" + of.Name + "`");
                }
                if (found.Length > 1)
                {
                    throw new MismatchException("`" + TypeNames.Of(found[0]) + "` and `" + TypeNames.Of(found[1])
                        + "` could both be the case `" + name + "` of `" + of.Name + "`");
                }
                string what = "the case `" + name + "` of `" + of.Name + "`";
                Marshaller marshaller = all.Body(of, of.Bodies[i], found[0], use, what);
                cases[i] = (IBody)marshaller;
                tags[found[0]] = (uint)i;
            }
        }

        private static string Simple(Type type)
        {
            int tick = type.Name.IndexOf('`');
            return tick < 0 ? type.Name : type.Name.Substring(0, tick);
        }

        internal override T Read(byte* at, Scope* scope)
        {
            uint tag = *(uint*)at;
            if (tag >= (uint)cases.Length)
            {
                throw ValueException.Tag(node.Name, tag, cases.Length);
            }
            try
            {
                return (T)cases[tag].ReadObject(at + node.At, scope);
            }
            catch (ValueException wrong) when (wrong.PassesThrough(node.Cases[tag]))
            {
                throw;
            }
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (value == null)
            {
                throw ValueException.Null(node);
            }
            if (!tags.TryGetValue(value.GetType(), out uint tag))
            {
                throw new ValueException("`" + TypeNames.Of(value.GetType()) + "` is no case of " + node.Name + ", only "
                    + string.Join(", ", node.Cases));
            }
            *(uint*)at = tag;
            try
            {
                cases[tag].WriteObject(at + node.At, value, scope);
            }
            catch (ValueException wrong) when (wrong.PassesThrough(node.Cases[tag]))
            {
                throw;
            }
        }
    }
}
