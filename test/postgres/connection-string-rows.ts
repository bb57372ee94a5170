const GUEST = 'guest_example.com#EXT#@tenant.onmicrosoft.com';

/** Users and databases with names that mean something to one of the syntaxes. */
export const USERS = [
  'u',
  'my-app',
  'jo@example.com',
  GUEST,
  'Jürgen Größe',
  "it's \\me",
  'a+b',
  '*',
];

export const DATABASES = [
  ...USERS,
  'appdb',
  'a/b',
  'x=y',
  'c#d',
  'e&f?g',
  'two words',
  'h:i',
  "o'db",
];

/**
 * A connection string, and whom its passfile lines are for. In both, `{port}` is the front's;
 * `{port6}` is its port on ::1; `{dir}` and `{odd}` are directories with its socket, `{dir%}` and
 * `{odd%}` the same percent-encoded; `{abstract}` is the name of an abstract socket.
 */
export type Row = readonly [text: string, ...lines: string[]];

export const URIS: Row[] = [
  ['postgresql://u@127.0.0.1:{port}/appdb', '127.0.0.1:{port}:appdb:u'],
  ['postgres://u@localhost:{port}/appdb', 'localhost:{port}:appdb:u'],
  ['postgresql://my-app@127.0.0.1:{port}', '127.0.0.1:{port}:*:my-app'],
  ['postgresql://my-app@127.0.0.1:{port}/', '127.0.0.1:{port}:*:my-app'],
  ['postgresql://my-app:@127.0.0.1:{port}/appdb', '127.0.0.1:{port}:appdb:my-app'],
  ['postgresql://u@127.0.0.1:{port}?sslmode=require', '127.0.0.1:{port}:*:u'],
  ['postgresql://u@127.0.0.1:{port}/appdb?sslmode=require&', '127.0.0.1:{port}:appdb:u'],
  ['postgresql://u@127.0.0.1:{port}/appdb?', '127.0.0.1:{port}:appdb:u'],
  ['postgresql://jo%40example.com@127.0.0.1:{port}/appdb', '127.0.0.1:{port}:appdb:jo@example.com'],
  [
    'postgresql://guest_example.com%23EXT%23%40tenant.onmicrosoft.com@127.0.0.1:{port}/appdb',
    `127.0.0.1:{port}:appdb:${GUEST}`,
  ],
  [
    'postgresql://guest_example.com#EXT#%40tenant.onmicrosoft.com@127.0.0.1:{port}/c#d',
    `127.0.0.1:{port}:c#d:${GUEST}`,
  ],
  [
    'postgresql://J%C3%BCrgen%20Gr%c3%b6%c3%9fe@127.0.0.1:{port}',
    '127.0.0.1:{port}:*:Jürgen Größe',
  ],
  ['postgresql://Jürgen%20Größe@127.0.0.1:{port}/appdb', '127.0.0.1:{port}:appdb:Jürgen Größe'],
  ["postgresql://it's%20\\me@127.0.0.1:{port}/o'db", "127.0.0.1:{port}:o'db:it's \\\\me"],
  ['postgresql://a+b@127.0.0.1:{port}/a+b', '127.0.0.1:{port}:a+b:a+b'],
  ['postgresql://*@127.0.0.1:{port}/*', '127.0.0.1:{port}:\\*:\\*'],
  ['postgresql://u@127.0.0.1:{port}/a/b', '127.0.0.1:{port}:a/b:u'],
  ['postgresql://u@127.0.0.1:{port}/a%2Fb', '127.0.0.1:{port}:a/b:u'],
  ['postgresql://u@127.0.0.1:{port}/x=y', '127.0.0.1:{port}:x=y:u'],
  ['postgresql://u@127.0.0.1:{port}/e&f%3Fg?', '127.0.0.1:{port}:e&f?g:u'],
  ['postgresql://u@127.0.0.1:{port}/h:i', '127.0.0.1:{port}:h\\:i:u'],
  ['postgresql://u@127.0.0.1:{port}/two%20words', '127.0.0.1:{port}:two words:u'],
  ['postgresql://%75@%31%32%37.0.0.1:{port}/%61ppdb', '127.0.0.1:{port}:appdb:u'],
  ['postgresql://?host=127.0.0.1&port={port}&user=u&dbname=appdb', '127.0.0.1:{port}:appdb:u'],
  ['postgresql:///appdb?host=127.0.0.1&port={port}&user=u', '127.0.0.1:{port}:appdb:u'],
  ['postgresql://u@:{port}/appdb?host=localhost', 'localhost:{port}:appdb:u'],
  [
    'postgresql://nobody@nowhere.invalid:1/none?host=127.0.0.1&port={port}&user=u&dbname=appdb',
    '127.0.0.1:{port}:appdb:u',
  ],
  [
    'postgresql://127.0.0.1:{port}/appdb?user=jo@example.com',
    '127.0.0.1:{port}:appdb:jo@example.com',
  ],
  ['postgresql://u@127.0.0.1:{port}?dbname=appdb&dbname=x%3Dy', '127.0.0.1:{port}:x=y:u'],
  ['postgresql://u@127.0.0.1:{port}/appdb?d%62name=', '127.0.0.1:{port}:*:u'],
];

export const PAIRS: Row[] = [
  ['host=127.0.0.1 port={port} dbname=appdb user=u', '127.0.0.1:{port}:appdb:u'],
  ['  host = localhost\tport\t=\n{port}   user= u  ', 'localhost:{port}:*:u'],
  ["host='127.0.0.1'port='{port}'user='u'dbname='appdb'", '127.0.0.1:{port}:appdb:u'],
  ["host=127.0.0.1 port={port} user=u dbname=''", '127.0.0.1:{port}:*:u'],
  [
    "host=127.0.0.1 port={port} user='Jürgen Größe' dbname='two words'",
    '127.0.0.1:{port}:two words:Jürgen Größe',
  ],
  [
    'host=127.0.0.1 port={port} user=Jürgen\\ Größe dbname=two\\ words',
    '127.0.0.1:{port}:two words:Jürgen Größe',
  ],
  [
    "host=127.0.0.1 port={port} user='it\\'s \\\\me' dbname=o'db",
    "127.0.0.1:{port}:o'db:it's \\\\me",
  ],
  [
    "host=127.0.0.1 port={port} user=it's\\ \\\\me dbname=\\o\\'db",
    "127.0.0.1:{port}:o'db:it's \\\\me",
  ],
  [`host=127.0.0.1 port={port} user=${GUEST} dbname=c#d`, `127.0.0.1:{port}:c#d:${GUEST}`],
  ['host=127.0.0.1 port={port} dbname=x=y user=u', '127.0.0.1:{port}:x=y:u'],
  ['host=127.0.0.1 port={port} dbname=h:i user=*', '127.0.0.1:{port}:h\\:i:\\*'],
  ['host=127.0.0.1 port={port} dbname=a/b user=a+b', '127.0.0.1:{port}:a/b:a+b'],
  ['host=nowhere.invalid user=nobody host=127.0.0.1 port={port} user=u', '127.0.0.1:{port}:*:u'],
  ['host=127.0.0.1 port={port} user=u\\', '127.0.0.1:{port}:*:u'],
  ["host=127.0.0.1 port={port} user=u password='' sslmode=require", '127.0.0.1:{port}:*:u'],
  ['port={port} user=u hostaddr=127.0.0.1', '127.0.0.1:{port}:*:u'],
];

export const HOST_LISTS: Row[] = [
  [
    'postgresql://u@127.0.0.1:1,localhost:{port}/appdb',
    '127.0.0.1:1:appdb:u',
    'localhost:{port}:appdb:u',
  ],
  [
    'postgresql://u@127.0.0.1,localhost/appdb?port=1,{port}',
    '127.0.0.1:1:appdb:u',
    'localhost:{port}:appdb:u',
  ],
  ['postgresql://u@127.0.0.1%2Clocalhost:{port}', '127.0.0.1:{port}:*:u', 'localhost:{port}:*:u'],
  [
    'postgresql://u@127.0.0.2,127.0.0.1/appdb?port={port}',
    '127.0.0.2:{port}:appdb:u',
    '127.0.0.1:{port}:appdb:u',
  ],
  ['postgresql://u@[::1]:1,127.0.0.1:{port}', '\\:\\:1:1:*:u', '127.0.0.1:{port}:*:u'],
  ['host=127.0.0.1,localhost port=1,{port} user=u', '127.0.0.1:1:*:u', 'localhost:{port}:*:u'],
  [
    'host=localhost,localhost port=,{port} user=u hostaddr=127.0.0.2,127.0.0.1',
    'localhost:*:*:u',
    'localhost:{port}:*:u',
  ],
  [
    'host=a.example,b.example hostaddr=127.0.0.2,127.0.0.1 port={port} user=u',
    'a.example:{port}:*:u',
    'b.example:{port}:*:u',
  ],
  [
    'host=a.example, hostaddr=127.0.0.2,127.0.0.1 port={port} user=u',
    'a.example:{port}:*:u',
    '127.0.0.1:{port}:*:u',
  ],
  [
    'host=localhost,b.example hostaddr=,127.0.0.1 port=1,{port} user=u',
    'localhost:1:*:u',
    'b.example:{port}:*:u',
  ],
  ['hostaddr=127.0.0.2,127.0.0.1 port=1,{port} user=u', '127.0.0.2:1:*:u', '127.0.0.1:{port}:*:u'],
];

/** With an address libpq connects there, and still looks up the host. */
export const ELSEWHERE: Row[] = [
  [
    'host=my-server.postgres.database.azure.com hostaddr=127.0.0.1 port={port} user=u',
    'my-server.postgres.database.azure.com:{port}:*:u',
  ],
  ['postgresql://u@My-Server.:{port}/?hostaddr=127.0.0.1', 'My-Server.:{port}:*:u'],
  [
    'postgresql://u@[2001:db8::1]:{port}/appdb?hostaddr=127.0.0.1',
    '2001\\:db8\\:\\:1:{port}:appdb:u',
  ],
  ['postgresql://u@[fe80::1%25eth0]:{port}?hostaddr=127.0.0.1', 'fe80\\:\\:1%eth0:{port}:*:u'],
  ['host=2001:db8::1 hostaddr=127.0.0.1 port={port} user=u', '2001\\:db8\\:\\:1:{port}:*:u'],
  ['host=[2001:db8::1] hostaddr=127.0.0.1 port={port} user=u', '[2001\\:db8\\:\\:1]:{port}:*:u'],
  ['host= user=u hostaddr=127.0.0.1 port={port} user=u', 'user=u:{port}:*:u'],
  ['postgresql://h?user=a@b.example:{port}?hostaddr=127.0.0.1&user=u', 'b.example:{port}:*:u'],
  ['host=#server hostaddr=127.0.0.1 port={port} user=u', '\\#server:{port}:*:u'],
  ['host=@abstract hostaddr=127.0.0.1 port={port} user=u', '@abstract:{port}:*:u'],
  ['host=/tmp hostaddr=127.0.0.1 port={port} user=u', '/tmp:{port}:*:u'],
  [
    'host=/var/run/postgresql/ hostaddr=127.0.0.1 port={port} user=u',
    '/var/run/postgresql/:{port}:*:u',
  ],
];

export const SOCKETS: Row[] = [
  ['postgresql://u@{dir%}/appdb', '{dir}:*:appdb:u'],
  ['postgresql://u@{dir%}:{port}/appdb', '{dir}:{port}:appdb:u'],
  ['postgresql:///appdb?host={dir}&user=u', '{dir}:*:appdb:u'],
  ['postgresql://u@/?host={odd%}&port={port}', '{odd}:{port}:*:u'],
  ['postgresql://u@{odd%}:{port}', '{odd}:{port}:*:u'],
  ['host={dir} user=u', '{dir}:*:*:u'],
  ["host='{odd}' port={port} user=u dbname=appdb", '{odd}:{port}:appdb:u'],
  ['host=127.0.0.1,{dir} port=1,{port} user=u', '127.0.0.1:1:*:u', '{dir}:{port}:*:u'],
];

export const ABSTRACT_SOCKETS: Row[] = [
  ['postgresql://u@%40{abstract}:{port}/appdb', '@{abstract}:{port}:appdb:u'],
  ['host=@{abstract} port={port} user=u', '@{abstract}:{port}:*:u'],
];

export const IPV6: Row[] = [
  ['postgresql://u@[::1]:{port6}/appdb', '\\:\\:1:{port6}:appdb:u'],
  ['host=::1 port={port6} user=u', '\\:\\:1:{port6}:*:u'],
];

export const DEFAULT_SOCKET_DIRECTORY: Row[] = [
  ['host=/var/run/postgresql hostaddr=127.0.0.1 port={port} user=u', 'localhost:{port}:*:u'],
  [
    'postgresql://u@%2Fvar%2Frun%2Fpostgresql:{port}/appdb?hostaddr=127.0.0.1',
    'localhost:{port}:appdb:u',
  ],
];

export const INVALID: [text: string, hint: RegExp][] = [
  ['postgresql://u@127.0.0.1:{port}/a%', /%25/],
  ['postgresql://u@127.0.0.1:{port}/a%2', /%25/],
  ['postgresql://u@127.0.0.1:{port}/a%zz', /%25/],
  ['postgresql://u@127.0.0.1:{port}/a%00b', /%00/],
  ['postgresql://u@127.0.0.1:{port}?user%=u', /%25/],
  ['postgresql://u@[::1', /not closed/],
  ['postgresql://u@[]:{port}', /between the brackets/],
  ['postgresql://u@[::1]x:{port}', /follow the brackets/],
  ['postgresql://u@127.0.0.1:{port}?user', /no =/],
  ['postgresql://u@127.0.0.1:{port}?user=u&&dbname=u', /no =/],
  ['postgresql://u@127.0.0.1:{port}?user=u=v', /second =/],
  ['postgresql://u@127.0.0.1,localhost,127.0.0.2/?port=1,2', /3 hosts .* not 2/],
  ['postgresql://u@127.0.0.1:{port}/?port=1,{port}', /1 hosts .* not 2/],
  ['postgresql://u@127.0.0.1:port', /port/],
  ['postgresql://u@127.0.0.1:65536', /port/],
  ['postgresql://u@127.0.0.1:0', /port/],
  ['postgresql://u@127.0.0.1:{port}:{port}', /port/],
  ['host=127.0.0.1 port={port} user', /no =/],
  ['host=127.0.0.1 port={port} user u', /no =/],
  ["host=127.0.0.1 port={port} user='u", /not closed/],
  ["host=127.0.0.1 port={port} user='u\\'", /not closed/],
  ['host=127.0.0.1,localhost hostaddr=127.0.0.1 port={port} user=u', /2 hosts .* not 1/],
  ['host=127.0.0.1,localhost port={port},1,2 user=u', /2 hosts .* not 3/],
  ['host=127.0.0.1 port={port}x user=u', /port/],
];
