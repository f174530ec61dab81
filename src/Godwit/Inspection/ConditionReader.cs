using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Finds the columns in the conditions of a query by its words alone. It is no parser, and only proposals hang on it: what it takes wrongly
/// makes one of them worse, which the estimate on a sample then shows. Nothing is sent to the server.
/// </summary>
internal sealed class ConditionReader
{
    private static readonly HashSet<string> EndsCondition = new(StringComparer.OrdinalIgnoreCase)
    {
        "SELECT", "FROM", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "QUALIFY", "SETTINGS", "FORMAT", "UNION", "EXCEPT", "INTERSECT", "INTO", "WITH",
    };

    // A range of what they return is a range of what they are given.
    private static readonly string[] Monotonic = ["toDate", "toDateTime", "toStartOf", "toMonday", "toYYYYMM", "toYear", "toUnixTimestamp", "toRelative", "date_trunc", "dateTrunc", "toInt", "toUInt", "negate"];

    private static readonly Dictionary<string, ConditionUse> Functions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["equals"] = ConditionUse.Equality,
        ["in"] = ConditionUse.Equality,
        ["globalIn"] = ConditionUse.Equality,
        ["less"] = ConditionUse.Range,
        ["lessOrEquals"] = ConditionUse.Range,
        ["greater"] = ConditionUse.Range,
        ["greaterOrEquals"] = ConditionUse.Range,
        ["startsWith"] = ConditionUse.Range,
    };

    private readonly string _text;
    private readonly IReadOnlySet<string> _columns;
    private readonly List<SqlText.Token> _tokens;
    private readonly Dictionary<string, HashSet<string>> _aliases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConditionUse> _uses = new(StringComparer.Ordinal);

    private ConditionReader(string text, IReadOnlySet<string> columns) => (_text, _columns, _tokens) = (text, columns, SqlText.Tokens(text));

    /// <summary>The columns in WHERE and PREWHERE, in the order of their names.</summary>
    public static IReadOnlyList<ConditionColumn> Read(string text, IReadOnlySet<string> columns)
    {
        var reader = new ConditionReader(text, columns);
        reader.ReadAliases();
        reader.ReadConditions();
        return reader._uses.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => new ConditionColumn(u.Key, u.Value)).ToList();
    }

    private void ReadAliases()
    {
        for (var i = 1; i + 1 < _tokens.Count; i++)
        {
            if (!_tokens[i].IsWord(_text, "AS") || SqlNames.At(_text, _tokens, i + 1) is not { Parts: [var alias] })
            {
                continue;
            }

            for (var at = i - 1; at >= 0 && !BeginsExpression(at, _tokens[i].Depth); at--)
            {
                if (ColumnAt(at) is { } name)
                {
                    (_aliases.TryGetValue(alias, out var found) ? found : _aliases[alias] = []).Add(name.Column);
                }
            }
        }
    }

    private bool BeginsExpression(int at, int depth) =>
        _tokens[at].Depth < depth
        || (_tokens[at].Depth == depth && (Is(at, ",") || _tokens[at].IsWord(_text, "SELECT") || _tokens[at].IsWord(_text, "WITH") || _tokens[at].IsWord(_text, "DISTINCT")));

    private void ReadConditions()
    {
        Dictionary<int, bool> inCondition = [];
        for (var i = 0; i < _tokens.Count; i++)
        {
            var token = _tokens[i];
            if (Is(i, "(") || Is(i, "["))
            {
                inCondition[token.Depth + 1] = inCondition.GetValueOrDefault(token.Depth);
            }
            else if (token.IsWord(_text, "WHERE") || token.IsWord(_text, "PREWHERE"))
            {
                inCondition[token.Depth] = true;
            }
            else if (token.Kind == SqlText.TokenKind.Word && EndsCondition.Contains(_text[token.Start..token.End]) && !IsCompared(i))
            {
                inCondition[token.Depth] = false;
            }
            else if (inCondition.GetValueOrDefault(token.Depth))
            {
                i = ReadUse(i);
            }
        }
    }

    // A column may be called like a word of SQL.
    private bool IsCompared(int at) => at + 1 < _tokens.Count && (Is(at + 1, "=") || Is(at + 1, "<") || Is(at + 1, ">"));

    private int ReadUse(int at)
    {
        if (SqlNames.At(_text, _tokens, at) is not { } name || Is(name.Last + 1, "("))
        {
            return at;
        }

        if (ColumnAt(at) is { } column)
        {
            Keep(column.Column, UseOf(at, name.Last));
        }
        else if (name.Parts is [var alias] && _aliases.TryGetValue(alias, out var behind))
        {
            // What the expression does to them is not known: a range is the most that can be hoped for.
            var use = UseOf(at, name.Last) == ConditionUse.Other ? ConditionUse.Other : ConditionUse.Range;
            foreach (var each in behind)
            {
                Keep(each, use);
            }
        }

        return name.Last;
    }

    private void Keep(string column, ConditionUse use) =>
        _uses[column] = _uses.TryGetValue(column, out var before) && before < use ? before : use;

    private (string Column, int Last)? ColumnAt(int at)
    {
        // Not in the middle of a name.
        if ((at > 0 && _tokens[at - 1].End == _tokens[at].Start && _tokens[at - 1].Kind is SqlText.TokenKind.Word or SqlText.TokenKind.Quoted)
            || SqlNames.At(_text, _tokens, at) is not { } name || Is(name.Last + 1, "("))
        {
            return null;
        }

        // The last parts are the column, which may have dots of its own; what stands before them is a table or an alias.
        for (var from = 0; from < name.Parts.Count; from++)
        {
            var column = string.Join('.', name.Parts.Skip(from));
            if (_columns.Contains(column))
            {
                return (column, name.Last);
            }
        }

        return null;
    }

    private ConditionUse UseOf(int first, int last)
    {
        var direct = Operator(first, last);
        if (direct is not null)
        {
            return direct.Value;
        }

        // Inside brackets: the arguments of a function, or a tuple.
        var depth = _tokens[first].Depth;
        var open = _tokens.FindLastIndex(first, t => t.Depth == depth - 1 && _text[t.Start] == '(');
        var close = _tokens.FindIndex(last, t => t.Depth == depth - 1 && _text[t.Start] == ')');
        if (open < 0 || close < 0)
        {
            return ConditionUse.Other;
        }

        var function = open > 0 && _tokens[open - 1].Kind == SqlText.TokenKind.Word && _tokens[open - 1].End == _tokens[open].Start ? _text[_tokens[open - 1].Start.._tokens[open - 1].End] : "";
        if (Functions.TryGetValue(function, out var use))
        {
            return use;
        }

        var outer = Operator(function.Length > 0 ? open - 1 : open, close) ?? ConditionUse.Other;
        return function.Length == 0 || function.Equals("tuple", StringComparison.OrdinalIgnoreCase) ? outer
            : outer != ConditionUse.Other && Array.Exists(Monotonic, m => function.StartsWith(m, StringComparison.OrdinalIgnoreCase)) ? ConditionUse.Range
            : ConditionUse.Other;
    }

    /// <summary>What stands beside an expression; null when nothing is asked of it here.</summary>
    private ConditionUse? Operator(int first, int last)
    {
        bool Word(int at, string word) => at < _tokens.Count && _tokens[at].IsWord(_text, word);
        var after = last + 1;
        return (Is(after, "="), Is(after, "<"), Is(after, ">")) switch
        {
            (true, _, _) => ConditionUse.Equality,
            (_, true, _) => Is(after + 1, ">") ? ConditionUse.Other : ConditionUse.Range,
            (_, _, true) => ConditionUse.Range,
            _ when Is(after, "!") || Word(after, "NOT") || Word(after, "ILIKE") || Word(after, "IS") => ConditionUse.Other,
            _ when Word(after, "IN") || (Word(after, "GLOBAL") && Word(after + 1, "IN")) => ConditionUse.Equality,
            _ when Word(after, "BETWEEN") => ConditionUse.Range,
            _ when Word(after, "LIKE") => after + 1 < _tokens.Count && _text.AsSpan(_tokens[after + 1].Start).StartsWith("'%") ? ConditionUse.Other : ConditionUse.Range,
            _ when Is(first - 1, "=") => Is(first - 2, "!") ? ConditionUse.Other : Is(first - 2, "<") || Is(first - 2, ">") ? ConditionUse.Range : ConditionUse.Equality,
            _ when Is(first - 1, "<") || Is(first - 1, ">") => Is(first - 1, ">") && Is(first - 2, "<") ? ConditionUse.Other : ConditionUse.Range,
            _ => null,
        };
    }

    private bool Is(int at, string punctuation) =>
        at >= 0 && at < _tokens.Count && _tokens[at].Kind == SqlText.TokenKind.Punctuation && _text[_tokens[at].Start] == punctuation[0];
}
