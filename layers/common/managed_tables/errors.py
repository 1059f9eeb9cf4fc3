"""Declare every error that a person can meet: its status, its stable code and its Portuguese sentence.

Two families share one shape (`error`, `code`, `details`): answers of the API carry an HTTP status;
failures of a job are data, kept in the job's record (`code`, `message`, `details`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from managed_tables.details import MAX_ERROR_DETAILS, Described, described
from managed_tables.details import Detail as Detail


@dataclass(frozen=True)
class ApiErrorKind:
    """A declared answer: HTTP status, stable code, Portuguese sentence (`str.format` fields allowed)."""

    status: int
    code: str
    sentence: str


@dataclass(frozen=True)
class JobErrorKind:
    """A declared way for a job to fail: stable code and Portuguese sentence (`str.format` fields allowed)."""

    code: str
    sentence: str


class ApiError(Exception):
    """Raised anywhere below a route; the app turns it into its status and body, once.

    `details_total` is how many details there are, where only the first are given; MAX_ERROR_DETAILS of them
    are kept. `rows` are the rows of a table as they are now, where the caller is to see them. The `reason` of
    a sentence is that of the first detail, with its path, unless another is given.
    """

    def __init__(
        self,
        kind: ApiErrorKind,
        details: Sequence[Detail] = (),
        details_total: int | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
        **fields: object,
    ) -> None:
        self.kind = kind
        self.rows = list(rows)
        if details:
            fields.setdefault("reason", f"{details[0].get('path') or 'corpo'}: {details[0]['reason']}")
        self.sentence = kind.sentence.format(**fields)
        self.details = list(details[:MAX_ERROR_DETAILS])
        self.details_total = len(details) if details_total is None else details_total
        super().__init__(self.sentence)


class ErrorRecord(Described):
    """A failure as a job's record, the state machine and `applied_jobs` keep it."""

    code: str
    message: str


class JobError(Exception):
    """A job's expected failure, raised inside a step and turned into its result at the handler."""

    def __init__(
        self,
        kind: JobErrorKind,
        details: Sequence[Detail] = (),
        details_total: int | None = None,
        **fields: object,
    ) -> None:
        self.kind = kind
        self.message = kind.sentence.format(**fields)
        self.details = list(details)
        self.details_total = details_total
        super().__init__(self.message)

    @classmethod
    def from_record(cls, record: ErrorRecord) -> Self:
        """Return the error that `as_record` has written."""
        kind = JobErrorKind(record["code"], "{message}")
        return cls(kind, record["details"], record.get("details_total"), message=record["message"])

    def as_record(self) -> ErrorRecord:
        """Return the failure as it is kept."""
        return {
            "code": self.kind.code,
            "message": self.message,
            **described(self.details, self.details_total),
        }


def codes_of(family: type[ApiErrorKind] | type[JobErrorKind]) -> list[str]:
    """Return the codes of every declared error of the family."""
    return sorted({one.code for one in globals().values() if isinstance(one, family)})


# --- answers of the API ------------------------------------------------------------------------------
UNAUTHENTICATED = ApiErrorKind(401, "UNAUTHENTICATED", "Token ausente ou inválido")
TOKEN_EXPIRED = ApiErrorKind(401, "TOKEN_EXPIRED", "O seu acesso expirou. Entre de novo para continuar")
FORBIDDEN = ApiErrorKind(
    403,
    "FORBIDDEN",
    "Você não tem permissão para {action}. Peça-a a quem cuida dos acessos da sua empresa",
)
TABLE_NOT_FOUND = ApiErrorKind(404, "TABLE_NOT_FOUND", "Tabela não encontrada")
JOB_NOT_FOUND = ApiErrorKind(404, "JOB_NOT_FOUND", "Job não encontrado")
EXPORT_NOT_FOUND = ApiErrorKind(404, "EXPORT_NOT_FOUND", "Exportação não encontrada")
ROW_NOT_FOUND = ApiErrorKind(404, "ROW_NOT_FOUND", "Linha não encontrada")
VIEW_NOT_FOUND = ApiErrorKind(404, "VIEW_NOT_FOUND", "Visão não encontrada")
VIEW_OF_ANOTHER = ApiErrorKind(
    403, "VIEW_OF_ANOTHER", "Esta visão é de outra pessoa, e só ela a muda: salve uma sua, com outro nome"
)
DUPLICATE_VIEW_NAME = ApiErrorKind(
    409, "DUPLICATE_NAME", 'Você já tem uma visão com o nome "{name}" nesta tabela. Escolha outro nome'
)
RECIPE_NOT_FOUND = ApiErrorKind(
    404,
    "RECIPE_NOT_FOUND",
    "A tabela não tem modelo de importação. O próximo arquivo importado cria um",
)
COLUMN_NOT_FOUND = ApiErrorKind(404, "COLUMN_NOT_FOUND", "Coluna não encontrada")
NO_REJECTS = ApiErrorKind(404, "NO_REJECTS", "Nenhuma linha deste envio foi rejeitada")
ROUTE_NOT_FOUND = ApiErrorKind(404, "ROUTE_NOT_FOUND", "Rota não encontrada")
METHOD_NOT_ALLOWED = ApiErrorKind(405, "METHOD_NOT_ALLOWED", "Método não permitido")
NOT_PROVISIONED = ApiErrorKind(
    400, "DATABASE_NOT_PROVISIONED", 'Base de dados não provisionada. Ative "Meus Dados" primeiro.'
)
DUPLICATE_NAME = ApiErrorKind(
    400,
    "MANAGED_TABLE_DUPLICATE_NAME",
    'Já existe uma tabela ativa com o nome "{name}". Escolha outro nome',
)
TABLE_INACTIVE = ApiErrorKind(
    400,
    "MANAGED_TABLE_INACTIVE",
    "A tabela está inativa e não recebe dados. Ative-a e tente de novo",
)
JOB_NOT_WAITING = ApiErrorKind(
    400,
    "JOB_NOT_WAITING_CONFIRM",
    "O envio não está aguardando confirmação: ou ainda está sendo lido, ou já foi confirmado. Veja como ele"
    " está agora",
)
JOB_FINISHED = ApiErrorKind(
    400,
    "JOB_FINISHED",
    "O envio já terminou e não pode ser cancelado. Desfaça-o, se as linhas entraram",
)
FILES_REPLACED = ApiErrorKind(
    409,
    "FILES_CHANGED",
    "Os arquivos deste envio foram trocados depois da análise. Confirme o que foi analisado, ou envie-os de"
    " novo",
)
ANALYSIS_GONE = ApiErrorKind(
    400, "JOB_ANALYSIS_GONE", "A análise dos arquivos não existe mais. Envie os arquivos novamente"
)
TABLE_VERSION_CHANGED = ApiErrorKind(
    412,
    "TABLE_CHANGED",
    "A tabela foi alterada por outra pessoa (agora está na versão {version}); nada foi mudado. Leia a tabela"
    " de novo e repita a alteração",
)
DUPLICATE_KEY_ROWS = ApiErrorKind(
    422,
    "DUPLICATE_KEY",
    "A tabela tem linhas repetidas nas colunas da chave ({key}); nada foi mudado. Corrija as linhas listadas"
    " ou escolha outras colunas",
)
DUPLICATE_KEY = ApiErrorKind(
    409,
    "DUPLICATE_KEY",
    "Já existe uma linha com os mesmos valores nas colunas da chave ({key}); nada foi gravado. Escolha outros"
    " valores, ou altere essa linha",
)
INVALID_READING = ApiErrorKind(422, "INVALID_READING", "Os arquivos não podem ser lidos assim: {reason}")
TABLE_WITHOUT_KEY = ApiErrorKind(
    422,
    "TABLE_WITHOUT_KEY",
    "A tabela não tem chave. Escolha as colunas que distinguem uma linha da outra, ou envie o arquivo para"
    " acrescentar linhas",
)
NOT_UNDOABLE = ApiErrorKind(400, "NOT_UNDOABLE", "Esta carga não pode ser desfeita: {reason}")
CHANGED_SINCE = ApiErrorKind(
    409,
    "CHANGED_SINCE",
    "{changed} depois desta carga (por alguém, por outra carga ou ao desfazer outra), e nada foi desfeito."
    " Peça para desfazer mesmo assim: elas ficam como estão, e o resto é desfeito",
)
UPLOAD_TOO_LARGE = ApiErrorKind(
    413, "UPLOAD_TOO_LARGE", "O envio passa do limite de {limit_mb} MB. Divida-o e envie em partes"
)
INVALID_UPLOAD = ApiErrorKind(422, "INVALID_UPLOAD", "Envio inválido: {reason}")
REQUEST_TOO_LARGE = ApiErrorKind(
    413, "REQUEST_TOO_LARGE", "O corpo da requisição passa do limite de {limit_mb} MB. Divida-o em partes"
)
RESPONSE_TOO_LARGE = ApiErrorKind(
    422, "RESPONSE_TOO_LARGE", "A resposta passa do limite de {limit_mb} MB. Peça menos linhas ou colunas"
)
REQUEST_TOO_SLOW = ApiErrorKind(408, "REQUEST_TOO_SLOW", "O corpo da requisição parou de chegar")
TOO_MANY_REQUESTS = ApiErrorKind(
    429, "TOO_MANY_REQUESTS", "A empresa tem requisições demais ao mesmo tempo. Tente de novo em instantes"
)
TOO_MANY_JOBS = ApiErrorKind(
    429,
    "TOO_MANY_JOBS",
    "A empresa já tem {limit} envios em andamento. Confirme ou cancele alguns e tente de novo",
)
TOO_MANY_EXPORTS = ApiErrorKind(
    429,
    "TOO_MANY_EXPORTS",
    "A empresa já tem {limit} exportações em andamento. Exporte de novo quando uma terminar",
)
ORIGIN_NOT_ALLOWED = ApiErrorKind(
    400, "ORIGIN_NOT_ALLOWED", "Origem, método ou cabeçalho não permitido (CORS)"
)
HTTP_ERROR = ApiErrorKind(400, "HTTP_ERROR", "Requisição recusada (HTTP {status})")
UNKNOWN_PARAMETER = ApiErrorKind(422, "UNKNOWN_PARAMETER", "Parâmetro desconhecido: {names}")
INVALID_REQUEST = ApiErrorKind(422, "INVALID_REQUEST", "Requisição inválida: {reason}")
ROW_CHANGED = ApiErrorKind(
    412, "ROW_CHANGED", "A linha foi alterada depois de lida; nada foi gravado. Veja como está agora e decida"
)
PLAN_NOT_CONFIRMED = ApiErrorKind(
    409,
    "PLAN_NOT_CONFIRMED",
    "A confirmação já foi usada, venceu, ou é de outro plano; nada foi gravado. Peça o plano de novo",
)
IDEMPOTENCY_KEY_REUSED = ApiErrorKind(
    422, "IDEMPOTENCY_KEY_REUSED", "O Idempotency-Key já foi usado nesta tabela com outro corpo"
)
INVALID_SCHEMA = ApiErrorKind(422, "INVALID_SCHEMA", "Esquema inválido: {reason}")
INVALID_ROWS = ApiErrorKind(
    422, "INVALID_ROWS", "Valores inválidos: {count}; nada foi gravado. Corrija-os e grave de novo"
)
ROW_TOO_WIDE = ApiErrorKind(
    422,
    "ROW_TOO_WIDE",
    "Uma linha tem mais do que o banco guarda em uma (8 KB, sem contar os textos longos); nada foi gravado."
    " Deixe algumas colunas vazias, ou divida a tabela",
)
KEY_TOO_LONG = ApiErrorKind(
    422,
    "KEY_TOO_LONG",
    "Um texto é longo demais para as colunas da chave ({key}), que comportam cerca de 2.700 letras juntas;"
    " nada foi gravado. Encurte-o, ou escolha outras colunas para a chave",
)
INTERNAL = ApiErrorKind(500, "INTERNAL_ERROR", "Erro interno. Informe o código {request_id} ao suporte")
DATABASE_UNAVAILABLE = ApiErrorKind(
    503, "DATABASE_UNAVAILABLE", "O banco está acordando. Tente de novo em instantes"
)
CONNECTIONS_TAKEN = ApiErrorKind(
    503,
    "DATABASE_CONNECTIONS_TAKEN",
    "Todas as conexões com o banco estão em uso. Tente de novo em instantes",
)
OUTCOME_UNKNOWN = ApiErrorKind(
    503,
    "OUTCOME_UNKNOWN",
    "A conexão com o banco caiu antes da resposta e a alteração pode ter sido gravada. Confira antes de"
    " repetir; linhas enviadas com Idempotency-Key podem ser repetidas sem risco",
)
CATALOG_UNAVAILABLE = ApiErrorKind(
    503, "CATALOG_UNAVAILABLE", "O catálogo de tabelas não respondeu. Tente de novo em instantes"
)
STORAGE_UNAVAILABLE = ApiErrorKind(
    503, "STORAGE_UNAVAILABLE", "O armazenamento de arquivos não respondeu. Tente de novo em instantes"
)
EXPORTS_UNAVAILABLE = ApiErrorKind(
    503, "EXPORTS_UNAVAILABLE", "A exportação não pôde ser iniciada. Tente de novo em instantes"
)
SECRETS_UNAVAILABLE = ApiErrorKind(
    503, "SECRETS_UNAVAILABLE", "As credenciais do serviço não responderam. Tente de novo em instantes"
)
DATABASE_TIMEOUT = ApiErrorKind(
    503,
    "DATABASE_TIMEOUT",
    "A operação demorou demais e foi desfeita; nada foi alterado. Tente de novo em instantes",
)
QUERY_TOO_HEAVY = ApiErrorKind(
    422,
    "QUERY_TOO_HEAVY",
    "A consulta é pesada demais para o banco. Filtre mais, ordene por menos colunas, ou crie um índice nas"
    " colunas que filtram ou ordenam",
)
TABLE_BUSY = ApiErrorKind(
    409, "MANAGED_TABLE_BUSY", "A tabela está ocupada por outra operação. Tente de novo em instantes"
)
KEYS_UNAVAILABLE = ApiErrorKind(
    503, "SIGNING_KEYS_UNAVAILABLE", "Não foi possível obter as chaves que validam o token. Tente de novo"
)

# --- failures of a job -------------------------------------------------------------------------------
FILE_EMPTY = JobErrorKind(
    "FILE_EMPTY", "O arquivo {file} está vazio. Confira se exportou os dados e envie de novo"
)
FILE_NOT_TABULAR = JobErrorKind(
    "FILE_NOT_TABULAR",
    "O arquivo {file} não é uma tabela legível: {reason}. Exporte os dados como CSV ou XLSX e envie de novo",
)
FILE_KIND_REFUSED = JobErrorKind(
    "FILE_KIND_REFUSED",
    "O arquivo {file} {reason}, e não uma tabela. Exporte os dados como CSV ou XLSX e envie de novo",
)
WORKBOOK_ENCRYPTED = JobErrorKind(
    "WORKBOOK_ENCRYPTED", "A planilha {file} tem senha. Salve uma cópia sem senha e envie de novo"
)
WORKBOOK_CORRUPT = JobErrorKind(
    "WORKBOOK_CORRUPT",
    "A planilha {file} está corrompida: {reason}. Abra-a no Excel, salve uma cópia e envie de novo",
)
WORKBOOK_TOO_LARGE = JobErrorKind(
    "WORKBOOK_TOO_LARGE",
    "O arquivo {file} passa dos limites: {reason}. Salve os dados como CSV e envie de novo",
)
WORKBOOK_UNSAFE = JobErrorKind(
    "WORKBOOK_UNSAFE",
    "A planilha {file} foi recusada por segurança: {reason}. Salve-a de novo no Excel, ou como CSV, e envie",
)
TOO_MANY_COLUMNS = JobErrorKind(
    "TOO_MANY_COLUMNS",
    "O arquivo {file} tem {count} colunas (linha {line}); o máximo é {limit}. Apague as que não usa ou divida"
    " a tabela, e envie de novo",
)
ARCHIVE_CORRUPT = JobErrorKind(
    "ARCHIVE_CORRUPT",
    "O arquivo compactado {file} está corrompido: {reason}. Compacte os dados de novo e envie",
)
ARCHIVE_ENCRYPTED = JobErrorKind(
    "ARCHIVE_ENCRYPTED", "O ZIP {file} tem senha (em {member}). Envie os arquivos sem senha"
)
ARCHIVE_NESTED = JobErrorKind(
    "ARCHIVE_NESTED",
    "O arquivo {file} tem outro arquivo compactado dentro: {member}."
    " Envie os arquivos em um só ZIP, ou sem compactar",
)
ARCHIVE_TOO_MANY_ENTRIES = JobErrorKind(
    "ARCHIVE_TOO_MANY_ENTRIES",
    "O ZIP {file} tem {count} arquivos; o máximo é {limit}. Divida-o e envie em partes",
)
ARCHIVE_TOO_LARGE = JobErrorKind(
    "ARCHIVE_TOO_LARGE",
    "O conteúdo de {file} passa do limite de {limit_mb} MB descompactado. Divida-o e envie em partes",
)
ARCHIVES_TOO_LARGE = JobErrorKind(
    "ARCHIVES_TOO_LARGE",
    "Os arquivos compactados do envio passam juntos do limite de {limit_mb} MB descompactados (em {file})."
    " Envie-os em partes",
)
ARCHIVE_UNSAFE = JobErrorKind(
    "ARCHIVE_UNSAFE",
    "O arquivo compactado {file} não é aceito: {reason}. Compacte só os arquivos de dados, de novo, e envie",
)
ARCHIVE_MEMBERS_REFUSED = JobErrorKind(
    "ARCHIVE_MEMBERS_REFUSED",
    "O ZIP {file} tem arquivos que não são tabelas: {members}. Tire-os do ZIP e envie de novo",
)
ARCHIVE_EMPTY = JobErrorKind(
    "ARCHIVE_EMPTY",
    "O ZIP {file} não tem nenhum arquivo de dados. Ponha nele arquivos CSV ou planilhas e envie de novo",
)
VALUES_NOT_CONVERTED = JobErrorKind(
    "VALUES_NOT_CONVERTED",
    "Valores que não puderam ser convertidos: {count}; nada foi inserido. Corrija os tipos das colunas e"
    " confirme de novo, confirme sem essas linhas, ou corrija o arquivo e envie-o outra vez",
)
DUPLICATE_KEYS = JobErrorKind(
    "DUPLICATE_KEY",
    "Linhas do arquivo com uma chave repetida: {count}; nada foi inserido. Tire-as do arquivo e envie-o outra"
    " vez; para atualizar as linhas que a tabela já tem com a mesma chave, envie-o no modo de atualização",
)
KEY_VALUE_TOO_LONG = JobErrorKind(
    "KEY_TOO_LONG",
    "Um texto do arquivo é longo demais para as colunas da chave da tabela, que comportam cerca de 2.700"
    " letras juntas; nada foi inserido. Corrija-o no arquivo, ou escolha outra chave, e envie de novo",
)
NO_TABLE_INCLUDED = JobErrorKind(
    "NO_TABLE_INCLUDED", "Nenhum arquivo e nenhuma aba foi incluído. Inclua ao menos um deles"
)
LINE_WITHOUT_CELLS = JobErrorKind(
    "LINE_WITHOUT_CELLS",
    "A linha {line} de {file} está vazia e não pode ser o cabeçalho. Escolha outra linha",
)
VALUES_REFUSED = JobErrorKind(
    "VALUES_REFUSED",
    "O banco recusou valores do arquivo; nada foi inserido. Motivo: {reason}. Corrija o arquivo e envie de"
    " novo",
)
ROW_TOO_LARGE = JobErrorKind(
    "ROW_TOO_LARGE",
    "Uma linha do arquivo é maior do que o banco aceita; nada foi inserido. Confirme com menos colunas, ou"
    " divida a tabela e envie de novo",
)
EXPORT_TABLE_GONE = JobErrorKind(
    "EXPORT_TABLE_GONE", "A tabela foi excluída antes de ser exportada. Escolha outra"
)
EXPORT_TABLE_CHANGED = JobErrorKind(
    "EXPORT_TABLE_CHANGED", "A tabela foi alterada depois do pedido. Exporte novamente"
)
EXPORT_TOO_LARGE = JobErrorKind(
    "EXPORT_TOO_LARGE",
    "A exportação passou do tempo máximo. Exporte em CSV, ou em partes com filtros",
)
EXPORT_QUERY_TOO_HEAVY = JobErrorKind(
    "EXPORT_QUERY_TOO_HEAVY",
    "A ordenação ou o filtro pede mais do que o banco pode usar. Exporte sem ordenar, ou com um"
    " filtro que deixe menos linhas",
)
EXPORT_TEXT_TOO_LONG = JobErrorKind(
    "EXPORT_TEXT_TOO_LONG",
    "A coluna {column} tem um texto de mais de {limit} caracteres, que uma planilha não comporta."
    " Exporte em CSV",
)
EXPORT_ROW_TOO_LARGE = JobErrorKind(
    "EXPORT_ROW_TOO_LARGE", "Há linhas grandes demais para este formato. Exporte em CSV"
)
EXPORT_TOO_MANY_SHEETS = JobErrorKind(
    "EXPORT_TOO_MANY_SHEETS", "A tabela tem linhas demais para uma planilha. Exporte em CSV, ou em partes"
)
EXPORT_EXPIRED = JobErrorKind("EXPORT_EXPIRED", "A exportação não terminou. Exporte novamente")
EXPORT_FAULT = JobErrorKind("EXPORT_FAULT", "Falha interna na exportação. Exporte novamente")
TABLE_GONE = JobErrorKind(
    "TABLE_GONE",
    "A tabela foi excluída antes de os dados serem inseridos. Envie os arquivos como uma tabela nova",
)
TABLE_NOT_ACTIVE = JobErrorKind(
    "TABLE_NOT_ACTIVE",
    "A tabela ficou inativa antes de os dados serem inseridos. Ative-a e envie os arquivos novamente",
)
TABLE_CHANGED = JobErrorKind(
    "TABLE_CHANGED",
    "As colunas da tabela mudaram depois da confirmação; nada foi inserido. Envie os arquivos novamente",
)
TABLE_NAME_TAKEN = JobErrorKind(
    "TABLE_NAME_TAKEN",
    "O banco já tem uma tabela com o nome {name}. Envie os arquivos novamente e escolha outro nome",
)
TABLE_LOCKED = JobErrorKind(
    "TABLE_LOCKED",
    "A tabela ficou ocupada por horas (uma consulta aberta em uma ferramenta de BI, por exemplo) e não pôde"
    " receber as colunas novas; nada foi inserido. Feche a consulta e envie os arquivos novamente",
)
RESERVATION_LOST = JobErrorKind(
    "RESERVATION_LOST", "O nome da tabela deixou de estar reservado; nada foi inserido. Envie novamente"
)
INBOX_FILE_REFUSED = JobErrorKind(
    "INBOX_FILE_REFUSED",
    "O arquivo {file} não foi aceito: {reason}. Corrija e ponha o arquivo de novo na pasta de entrada",
)
INBOX_METADATA_INVALID = JobErrorKind(
    "INBOX_METADATA_INVALID",
    "Os metadados do arquivo {file} são inválidos: {reason}. Corrija-os e ponha o arquivo de novo na pasta de"
    " entrada",
)
INBOX_OBJECT_GONE = JobErrorKind(
    "INBOX_OBJECT_GONE",
    "O arquivo {file} foi apagado ou substituído antes de ser recebido. Ponha-o de novo na pasta de entrada",
)
CONFIRMATION_REFUSED = JobErrorKind(
    "CONFIRMATION_REFUSED",
    "As colunas não puderam ser confirmadas automaticamente: {reason}. Corrija o arquivo e envie de novo, ou"
    " envie sem a confirmação automática",
)
FILE_SIZE_MISMATCH = JobErrorKind(
    "FILE_SIZE_MISMATCH",
    "O arquivo {file} chegou com {arrived} bytes; foram declarados {declared}. Envie-o novamente",
)
FILES_GONE = JobErrorKind(
    "FILES_GONE", "Os arquivos deste envio não estão mais guardados. Envie-os novamente"
)
FILES_CHANGED = JobErrorKind(
    "FILES_CHANGED",
    "O arquivo {file} foi trocado depois da análise e não foi lido de novo. Confirme o que foi analisado, ou"
    " envie-o de novo",
)
FILES_TOO_LARGE = JobErrorKind(
    "FILES_TOO_LARGE",
    "Os arquivos deste envio não cabem no disco em que são lidos. Envie-os em partes; um texto em UTF-8 ocupa"
    " menos",
)
FILES_IMPORTED = JobErrorKind(
    "FILES_IMPORTED",
    "Outro envio acaba de trazer um arquivo igual para esta tabela. Confirme só se as linhas devem entrar"
    " outra vez",
)
UPLOAD_EXPIRED = JobErrorKind(
    "UPLOAD_EXPIRED", "Os arquivos não chegaram dentro do prazo de envio. Envie-os novamente"
)
CONFIRMATION_EXPIRED = JobErrorKind(
    "CONFIRMATION_EXPIRED", "As colunas não foram confirmadas dentro do prazo. Envie os arquivos novamente"
)
TABLE_NOT_MADE = JobErrorKind(
    "TABLE_NOT_MADE", "Outra carga ainda não terminou de criar a tabela. Envie o arquivo novamente"
)
JOB_CANCELLED = JobErrorKind(
    "JOB_CANCELLED", "O envio foi cancelado; nada foi inserido. Envie de novo se mudar de ideia"
)
REANALYSIS_FAULT = JobErrorKind(
    "REANALYSIS_FAULT",
    "Os arquivos não puderam ser lidos assim. Vale a leitura anterior; escolha outra, ou tente de novo",
)
JOB_FAULT = JobErrorKind("JOB_FAULT", "Falha interna no processamento. Envie os arquivos novamente")
