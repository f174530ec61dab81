using System.Globalization;

namespace Godwit.ClickHouse;

/// <summary>A server's version, comparable: <c>18.16.1</c>, <c>26.7.2.1</c>. Missing parts are 0; suffixes of vendors are dropped.</summary>
public readonly record struct ServerVersion(int Major, int Minor, int Patch = 0, int Build = 0) : IComparable<ServerVersion>
{
    /// <summary>Reads what <c>version()</c> answers.</summary>
    /// <exception cref="FormatException">It does not begin with two numbers.</exception>
    public static ServerVersion Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var numbers = new List<int>();
        foreach (var part in text.Split('.', '-', ' ', '+'))
        {
            if (numbers.Count == 4 || !int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                break;
            }

            numbers.Add(number);
        }

        return numbers.Count >= 2
            ? new ServerVersion(numbers[0], numbers[1], numbers.ElementAtOrDefault(2), numbers.ElementAtOrDefault(3))
            : throw new FormatException($"'{text}' is not the version of a ClickHouse server.");
    }

    /// <inheritdoc/>
    public int CompareTo(ServerVersion other)
        => (Major, Minor, Patch, Build).CompareTo((other.Major, other.Minor, other.Patch, other.Build));

    /// <summary>major.minor.patch, and .build when there is one.</summary>
    public override string ToString() => Build == 0 ? $"{Major}.{Minor}.{Patch}" : $"{Major}.{Minor}.{Patch}.{Build}";

#pragma warning disable CS1591 // Comparison operators need no words.
    public static bool operator <(ServerVersion left, ServerVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ServerVersion left, ServerVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ServerVersion left, ServerVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ServerVersion left, ServerVersion right) => left.CompareTo(right) >= 0;
#pragma warning restore CS1591
}
