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

        /// <summary>Whether the enum has a member for each case.</summary>
        private bool[] isKnown;

        private Dictionary<T, uint> tags;

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            string[] names = Enum.GetNames(typeof(T));
            values = new T[of.Cases.Length];
            isKnown = new bool[values.Length];
            tags = new Dictionary<T, uint>();
            for (int i = 0; i < values.Length; i++)
            {
                string wanted = of.Cases[i].Name;
                string name = names.FirstOrDefault(known => known == wanted)
                    ?? names.FirstOrDefault(known => Names.Match(known, wanted));
                if (name == null && of.Cases[i].Since > 0)
                {
                    continue;
                }
                if (name == null)
                {
                    throw new MismatchException("the enum `" + TypeNames.Of(typeof(T)) + "` has no member for the case `"
                        + wanted + "` of `" + of.Name + "`");
                }
                values[i] = (T)Enum.Parse(typeof(T), name);
                if (tags.ContainsKey(values[i]))
                {
                    throw new MismatchException("the enum `" + TypeNames.Of(typeof(T)) + "` has the same value for the cases `"
                        + of.Cases[tags[values[i]]].Name + "` and `" + wanted + "` of `" + of.Name + "`");
                }
                tags.Add(values[i], (uint)i);
                isKnown[i] = true;
            }
            if (of.OtherCase >= 0)
            {
                FindOthers(names, of.OtherCase);
            }
        }

        /// <summary>Has cases that the enum lacks read as the other case, and members that the contract lacks written as it.</summary>
        private void FindOthers(string[] names, int other)
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (!isKnown[i] && isKnown[other])
                {
                    values[i] = values[other];
                    isKnown[i] = true;
                }
            }
            foreach (string name in names)
            {
                var value = (T)Enum.Parse(typeof(T), name);
                if (!tags.ContainsKey(value))
                {
                    tags.Add(value, (uint)other);
                }
            }
        }

        internal override T Read(byte* at, Scope* scope)
        {
            uint tag = *(uint*)at;
            if (tag >= (uint)values.Length)
            {
                throw ValueException.Tag(node.Name, tag, values.Length);
            }
            return isKnown[tag] ? values[tag] : throw ValueException.Later(node, tag, typeof(T));
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            if (!tags.TryGetValue(value, out uint tag))
            {
                throw new ValueException("`" + value + "` is no case of " + node.Name + ", only " + node.CaseNames);
            }
            *(uint*)at = tag;
        }
    }

    /// <summary>Moves the cases of a variant, as objects of classes that derive from <typeparamref name="T"/>.</summary>
    internal sealed unsafe class VariantMarshaller<T> : Marshaller<T> where T : class
    {
        private Node node;

        /// <summary>The cases, by number; null for one that has no class and no other case in its place.</summary>
        private IBody[] cases;

        /// <summary>The number of the case that classes are written as which the contract lacks, or -1.</summary>
        private int other;

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
                string name = of.Cases[i].Name;
                Type[] found = known.Where(type => Names.Match(Simple(type), name)).ToArray();
                if (found.Length == 0)
                {
                    found = known.Where(type => Names.Match(Simple(type), name + of.Name)
                        || Names.Match(Simple(type), of.Name + name)).ToArray();
                }
                if (found.Length == 0 && of.Cases[i].Since > 0)
                {
                    continue;
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
            other = of.OtherCase;
            for (int i = 0; i < cases.Length && other >= 0; i++)
            {
                // The other case has no fields.
                cases[i] = cases[i] ?? cases[other];
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
            if (cases[tag] == null)
            {
                throw ValueException.Later(node, tag, typeof(T));
            }
            try
            {
                return (T)cases[tag].ReadObject(at + node.At, scope);
            }
            catch (ValueException wrong) when (wrong.PassesThrough(node.Cases[tag].Name))
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
                // An object of a class that derives from a case's own is no other case.
                if (other >= 0 && !tags.Keys.Any(known => known.IsInstanceOfType(value)))
                {
                    *(uint*)at = (uint)other;
                    return;
                }
                throw new ValueException("`" + TypeNames.Of(value.GetType()) + "` is no case of " + node.Name + ", only "
                    + node.CaseNames);
            }
            *(uint*)at = tag;
            try
            {
                cases[tag].WriteObject(at + node.At, value, scope);
            }
            catch (ValueException wrong) when (wrong.PassesThrough(node.Cases[tag].Name))
            {
                throw;
            }
        }
    }
}
