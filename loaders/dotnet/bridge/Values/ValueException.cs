using System;
using System.Collections.Generic;
using System.IO;

namespace Polyplug.Bridge
{
    /// <summary>The reason for which a value does not have its type, with the path to the fault.</summary>
    internal sealed class ValueException : Exception
    {
        /// <summary>The steps to the fault, innermost first: a name or an index.</summary>
        private readonly List<object> path = new List<object>();

        private bool isLimit;

        internal ValueException(string reason) : base(reason)
        {
        }

        internal static ValueException TooDeep(int levels)
        {
            return new ValueException("nested deeper than " + levels + " levels") { isLimit = true };
        }

        internal static ValueException Tag(string of, uint tag, int cases)
        {
            return new ValueException(tag + " is no case of " + of + ", which has " + cases);
        }

        /// <summary>Makes the error of a case that a type of the plugin lacks, because the plugin is older than the case.</summary>
        internal static ValueException Later(Node node, uint tag, Type type)
        {
            Case of = node.Cases[tag];
            Contract contract = node.Contract;
            return new ValueException("`" + of.Name + "` is a case of `" + node.Name + "` since version " + contract.Major + "."
                + of.Since + " of " + contract.Name + ", and `" + TypeNames.Of(type) + "` of the plugin has none for it");
        }

        internal static ValueException Pointer(string what)
        {
            return new ValueException(what + ": the pointer is null or not aligned");
        }

        /// <summary>Makes the error of a reference that is null where the contract has a value.</summary>
        internal static ValueException Null(Node node)
        {
            return new ValueException("expected " + node.Describe() + ", got null");
        }

        internal ValueException Within(string name)
        {
            path.Add(name);
            return this;
        }

        internal ValueException At(int index)
        {
            path.Add(index);
            return this;
        }

        /// <summary>Adds the name of a part to the path, as the filter of a handler that does not catch. Returns false.</summary>
        /// <remarks>
        /// A handler that throws again would need stack beside that of the frames in which the fault was found. Filters run
        /// before the stack is unwound, the innermost first, and return.
        /// </remarks>
        internal bool PassesThrough(string name)
        {
            path.Add(name);
            return false;
        }

        /// <summary>Adds an index to the path, and then does the same.</summary>
        internal bool PassesThrough(int index)
        {
            path.Add(index);
            return false;
        }

        internal void Encode(BinaryWriter writer)
        {
            writer.Write(isLimit);
            writer.Write(path.Count);
            foreach (object step in path)
            {
                bool isName = step is string;
                writer.Write(isName);
                if (isName)
                {
                    Wire.Text(writer, (string)step);
                }
                else
                {
                    writer.Write((int)step);
                }
            }
            Wire.Text(writer, Message);
        }
    }
}
