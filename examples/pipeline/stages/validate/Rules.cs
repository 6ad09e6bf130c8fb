// The rules: what is wrong with a record, and what is suspicious about it.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Pipeline
{
    /// <summary>What is wrong with a field of a record.</summary>
    internal sealed class Fault
    {
        internal Fault(string reason, string field, string detail)
        {
            Reason = reason;
            Field = field;
            Detail = detail;
        }

        internal string Reason { get; }

        internal string Field { get; }

        internal string Detail { get; }

        internal Rejected Of(Record record)
        {
            return new Rejected(record.Line, record.Raw, Reason, Field + ": " + Detail);
        }
    }

    internal sealed class Rules
    {
        private readonly Settings settings;

        internal Rules(Settings settings)
        {
            this.settings = settings;
        }

        /// <summary>Returns what is wrong with an entry first, or null if it is valid.</summary>
        internal Fault FaultOf(Entry entry)
        {
            return MethodFault(entry) ?? TimeFault(entry) ?? SizeFault(entry) ?? PatternFault(entry);
        }

        /// <summary>Returns the names of the rules by which an entry is suspicious.</summary>
        internal IEnumerable<string> Suspicions(Entry entry)
        {
            foreach (KeyValuePair<string, Regex> rule in settings.Suspicious)
            {
                if (IsMatch(rule.Value, entry.Target) ?? true)
                {
                    yield return rule.Key;
                }
            }
        }

        private Fault MethodFault(Entry entry)
        {
            if (settings.Methods.Contains(entry.Method))
            {
                return null;
            }
            return new Fault("unknown method", "method", $"{Quoted(entry.Method)} is not in the list of methods");
        }

        private Fault TimeFault(Entry entry)
        {
            if (settings.From is DateTimeOffset from && entry.Time < from.ToUnixTimeSeconds())
            {
                return new Fault("impossible time", "time", $"{Shown(entry.Time)} is before {Shown(from)}");
            }
            if (settings.Until is DateTimeOffset until && entry.Time >= until.ToUnixTimeSeconds())
            {
                return new Fault("impossible time", "time", $"{Shown(entry.Time)} is not before {Shown(until)}");
            }
            return null;
        }

        private static Fault SizeFault(Entry entry)
        {
            bool isWithoutBody = entry.Status < 200 || entry.Status == 204 || entry.Status == 304;
            if (entry.Size == 0 || (entry.Method != "HEAD" && !isWithoutBody))
            {
                return null;
            }
            string answer = isWithoutBody ? $"an answer with status {entry.Status}" : "an answer to HEAD";
            return new Fault("contradictory size", "size", $"{answer} has no body, and this one has {entry.Size} bytes");
        }

        private Fault PatternFault(Entry entry)
        {
            foreach (KeyValuePair<Field, Regex> pattern in settings.Patterns)
            {
                string value = Value(entry, pattern.Key);
                bool? isMatch = value == null ? true : IsMatch(pattern.Value, value);
                if (isMatch != true)
                {
                    string field = pattern.Key.ToString().ToLowerInvariant();
                    string problem = isMatch == null ? "takes too long to match" : "does not match";
                    return new Fault("unexpected " + field, field, $"{Quoted(value)} {problem} {pattern.Value}");
                }
            }
            return null;
        }

        /// <summary>Returns whether a text has a match, or null if that takes too long.</summary>
        private static bool? IsMatch(Regex expression, string text)
        {
            try
            {
                return expression.IsMatch(text);
            }
            catch (RegexMatchTimeoutException)
            {
                return null;
            }
        }

        private static string Value(Entry entry, Field field)
        {
            switch (field)
            {
                case Field.Client: return entry.Client;
                case Field.User: return entry.User;
                case Field.Method: return entry.Method;
                case Field.Target: return entry.Target;
                case Field.Protocol: return entry.Protocol;
                case Field.Referer: return entry.Referer;
                case Field.Agent: return entry.Agent;
                default: throw new ArgumentOutOfRangeException(nameof(field));
            }
        }

        /// <summary>Returns a text in quotes, cut where it is long.</summary>
        private static string Quoted(string text)
        {
            const int Longest = 80;
            if (text.Length <= Longest)
            {
                return "\"" + text + "\"";
            }
            // Not within a character that takes two places.
            int end = char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest;
            return "\"" + text.Substring(0, end) + "…\"";
        }

        private static string Shown(long seconds)
        {
            bool isKnown = seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds()
                && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
            return isKnown ? Shown(DateTimeOffset.FromUnixTimeSeconds(seconds)) : $"second {seconds}";
        }

        private static string Shown(DateTimeOffset moment)
        {
            return moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
    }
}
