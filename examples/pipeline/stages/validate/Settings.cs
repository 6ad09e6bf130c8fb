// The bundle's settings, checked. What is wrong is an exception that names the setting.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;

namespace Pipeline
{
    /// <summary>A field of an entry that a pattern can be for.</summary>
    public enum Field
    {
        Client,
        User,
        Method,
        Target,
        Protocol,
        Referer,
        Agent,
    }

    internal sealed class Settings
    {
        /// <summary>How long one expression may take for one record: who asks chooses the text.</summary>
        private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(250);

        internal Settings(IReadOnlyDictionary<string, object> config)
        {
            Methods = new HashSet<string>(MethodsIn(config), StringComparer.Ordinal);
            From = Moment(config, "from");
            Until = Moment(config, "until");
            if (From >= Until)
            {
                throw Wrong("until", "a time after `from`", config["until"]);
            }
            Patterns = Expressions(config, "patterns").ToDictionary(rule => FieldOf(rule.Key), rule => rule.Value);
            Suspicious = Expressions(config, "suspicious").OrderBy(rule => rule.Key, StringComparer.Ordinal).ToList();
        }

        internal HashSet<string> Methods { get; }

        internal DateTimeOffset? From { get; }

        internal DateTimeOffset? Until { get; }

        internal IReadOnlyDictionary<Field, Regex> Patterns { get; }

        internal IReadOnlyList<KeyValuePair<string, Regex>> Suspicious { get; }

        private static IEnumerable<string> MethodsIn(IReadOnlyDictionary<string, object> config)
        {
            config.TryGetValue("methods", out object value);
            if (value is IReadOnlyList<object> list && list.Count > 0 && list.All(each => each is string))
            {
                return list.Cast<string>();
            }
            throw Wrong("methods", "a list of at least one text", value);
        }

        /// <summary>Returns a time, or nothing where the setting is not given.</summary>
        private static DateTimeOffset? Moment(IReadOnlyDictionary<string, object> config, string name)
        {
            if (!config.TryGetValue(name, out object value))
            {
                return null;
            }
            // Without an offset, the time would be that of the machine.
            string[] forms = { "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss'Z'" };
            if (value is string text && DateTimeOffset.TryParseExact(
                text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment))
            {
                return moment;
            }
            throw Wrong(name, "a time such as \"2024-02-28T19:00:00+13:00\"", value);
        }

        /// <summary>Returns the regular expressions of a table that are not switched off.</summary>
        private static IEnumerable<KeyValuePair<string, Regex>> Expressions(
            IReadOnlyDictionary<string, object> config, string table)
        {
            config.TryGetValue(table, out object value);
            if (!(value is IReadOnlyDictionary<string, object> rules))
            {
                throw Wrong(table, "a table of regular expressions", value);
            }
            foreach (KeyValuePair<string, object> rule in rules)
            {
                string name = table + "." + rule.Key;
                if (rule.Value is bool isOn && !isOn)
                {
                    continue;
                }
                if (!(rule.Value is string expression))
                {
                    throw Wrong(name, "a regular expression or false", rule.Value);
                }
                yield return new KeyValuePair<string, Regex>(rule.Key, Expression(name, expression));
            }
        }

        private static Regex Expression(string name, string expression)
        {
            try
            {
                return new Regex(expression, RegexOptions.CultureInvariant, Limit);
            }
            catch (ArgumentException fault)
            {
                throw new FormatException($"settings: {name}: {fault.Message}", fault);
            }
        }

        private static Field FieldOf(string name)
        {
            // Numbers would be taken as well.
            string known = Enum.GetNames(typeof(Field)).FirstOrDefault(
                each => each.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (known == null)
            {
                string fields = string.Join(", ", Enum.GetNames(typeof(Field))).ToLowerInvariant();
                throw new FormatException($"settings: patterns.{name}: expected one of the fields {fields}");
            }
            return (Field)Enum.Parse(typeof(Field), known);
        }

        private static FormatException Wrong(string name, string expected, object value)
        {
            return new FormatException($"settings: {name}: expected {expected}, got {Shown(value)}");
        }

        private static string Shown(object value)
        {
            if (value is string text)
            {
                return "\"" + text + "\"";
            }
            if (value is bool flag)
            {
                return flag ? "true" : "false";
            }
            if (value is IFormattable number)
            {
                return number.ToString(null, CultureInfo.InvariantCulture);
            }
            return value == null ? "nothing" : value is IReadOnlyList<object> ? "a list" : "a table";
        }
    }
}
